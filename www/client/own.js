/** The visitor's own models, kept in this browser. Where it keeps nothing, as in a private window, they last one visit. */

/** @typedef {import("../shared/messages.js").PlainOptions} PlainOptions */
/** @typedef {{ sha256: string, name: string, blob: Blob, plain: PlainOptions }} KeptModel */

const STORE = "models";

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("lsspq", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "sha256" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
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

/** All kept models. @returns {Promise<KeptModel[]>} */
export function keptModels() {
  return run("readonly", (store) => store.getAll()).catch(() => []);
}

/**
 * @param {KeptModel} model
 * @returns {Promise<boolean>} whether it is kept
 */
export function keepModel(model) {
  return run("readwrite", (store) => store.put(model)).then(() => true, () => false);
}

/** @param {string} sha256 */
export function forgetModel(sha256) {
  return run("readwrite", (store) => store.delete(sha256)).catch(() => {});
}
