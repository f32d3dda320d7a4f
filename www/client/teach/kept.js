/** What was taught, kept in this browser, one record a model. Where it keeps nothing, as in a private window, it lasts one visit. */

/**
 * `bytes` is the file of the library; `pictures` are those of its examples, in its order, null where there is none.
 *
 * @typedef {{ sha256: string, bytes: Uint8Array<ArrayBuffer>, pictures: (Blob | null)[] }} KeptClasses
 */

const STORE = "classes";

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("lsspq-taught", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "sha256" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} ask
 * @returns {Promise<T>}
 */
async function run(mode, ask) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** @param {string} sha256 of the model @returns {Promise<KeptClasses | null>} */
export async function keptClasses(sha256) {
  return (await run("readonly", (store) => store.get(sha256)).catch(() => null)) ?? null;
}

/**
 * @param {KeptClasses} classes
 * @returns {Promise<boolean>} whether they are kept
 */
export function keepClasses(classes) {
  return run("readwrite", (store) => store.put(classes)).then(() => true, () => false);
}

/** @param {string} sha256 */
export function forgetClasses(sha256) {
  return run("readwrite", (store) => store.delete(sha256)).catch(() => {});
}
