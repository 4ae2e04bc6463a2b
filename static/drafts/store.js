// Where half-written notes lie in this browser: sealed, under names that say nothing, until the day they are too old.

const NAME = "drafts";
const NOTES = "notes";
const BY_FORM = "form";
const DAY = 24 * 60 * 60 * 1000;
export const KEPT_FOR = 14; // days

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(NOTES, { keyPath: "id" }).createIndex(BY_FORM, BY_FORM);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
}

async function transacted(mode, ask) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(NOTES, mode);
      const request = ask(transaction.objectStore(NOTES));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

// The day on which it goes; to the day, so that it does not tell when somebody wrote.
function lastDay(now) {
  return Math.floor(now / DAY) + KEPT_FOR;
}

// Whether it is kept now. False where the disk is full, or the browser keeps nothing.
export async function keep(id, form, sealed) {
  try {
    await transacted("readwrite", (notes) => notes.put({ id, form, until: lastDay(Date.now()), ...sealed }));
    return true;
  } catch {
    return false;
  }
}

export function forget(id) {
  return transacted("readwrite", (notes) => notes.delete(id)).catch(() => {});
}

export function ofForm(form) {
  return transacted("readonly", (notes) => notes.index(BY_FORM).getAll(form)).catch(() => []);
}

export async function forgetTheOld() {
  const today = Math.floor(Date.now() / DAY);
  const notes = await transacted("readonly", (all) => all.getAll()).catch(() => []);
  for (const note of notes) if (!(note.until >= today)) await forget(note.id);
}
