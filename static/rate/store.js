// What this device keeps until the server has it: sealed marks, and the language that was last spoken here.

const NAME = "ratings";
const QUEUE = "queue";
const SPOKEN = "spoken";

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

// One transaction. It counts when it is complete, and not when its request has succeeded.
async function within(store, mode, ask) {
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

export function waiting() {
  return within(QUEUE, "readonly", (queue) => queue.getAll()).catch(() => []);
}

export function speak(language) {
  return within(SPOKEN, "readwrite", (spoken) => spoken.put(language, "last")).catch(() => {});
}

export function spoken() {
  return within(SPOKEN, "readonly", (spoken) => spoken.get("last")).catch(() => undefined);
}
