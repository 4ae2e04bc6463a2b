// What this device keeps until the server has it: sealed marks, and the language that was last spoken here.

const NAME = "ratings";
const QUEUE = "queue";
const SPOKEN = "spoken";
// A store may never answer (Safari 14 when it is first asked). Nobody looks at "Sending" for longer than that.
const PATIENCE = 3000;

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(QUEUE, { keyPath: "delivery" });
      request.result.createObjectStore(SPOKEN);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
}

// What takes too long may still be kept later. That is harmless: the same delivery is one rating.
function within(store, mode, ask) {
  const late = new Promise((_, reject) => setTimeout(reject, PATIENCE, new Error("The store does not answer.")));
  return Promise.race([transacted(store, mode, ask), late]);
}

// One transaction. It counts when it is complete, and not when its request has succeeded.
async function transacted(store, mode, ask) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      // strict: on the disk before it counts as kept. A tablet is switched off when people leave.
      const transaction = database.transaction(store, mode, { durability: "strict" });
      const request = ask(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

// Whether it is kept now. False where the disk is full, or the browser keeps nothing.
export async function keep(parcel) {
  try {
    navigator.storage?.persist?.();
    await within(QUEUE, "readwrite", (queue) => queue.put(parcel));
    return true;
  } catch {
    return false;
  }
}

export async function forget(delivery) {
  await within(QUEUE, "readwrite", (queue) => queue.delete(delivery)).catch(() => {});
}

// Null where nobody can tell: that is not the same as nothing. Asked again, a store that lost its connection
// while the tablet slept answers.
export function waiting() {
  const read = () => within(QUEUE, "readonly", (queue) => queue.getAll());
  return read().catch(read).catch(() => null);
}

export function speak(language) {
  return within(SPOKEN, "readwrite", (words) => words.put(language, "last")).catch(() => {});
}

export function spoken() {
  return within(SPOKEN, "readonly", (words) => words.get("last")).catch(() => undefined);
}
