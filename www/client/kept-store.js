/** Records that this browser keeps, one for the hash of a model. Where it keeps nothing, as in a private window, there are none. */

/**
 * @param {string} name of the database
 * @param {string} store
 * @returns {Promise<IDBDatabase>}
 */
function open(name, store) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: "sha256" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

/**
 * The records of a store; each is known by its `sha256`.
 *
 * @template {{ sha256: string }} R
 */
export class KeptStore {
  #database;
  #store;

  /**
   * @param {string} database
   * @param {string} store
   */
  constructor(database, store) {
    this.#database = database;
    this.#store = store;
  }

  /** All records. @returns {Promise<R[]>} */
  all() {
    return this.#run("readonly", (store) => store.getAll()).catch(() => []);
  }

  /** @param {string} sha256 @returns {Promise<R | null>} */
  async get(sha256) {
    return (await this.#run("readonly", (store) => store.get(sha256)).catch(() => null)) ?? null;
  }

  /**
   * @param {R} record
   * @returns {Promise<boolean>} whether it is kept
   */
  keep(record) {
    return this.#run("readwrite", (store) => store.put(record)).then(() => true, () => false);
  }

  /** @param {string} sha256 */
  forget(sha256) {
    return this.#run("readwrite", (store) => store.delete(sha256)).catch(() => {});
  }

  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} ask
   * @returns {Promise<T>}
   */
  async #run(mode, ask) {
    const database = await open(this.#database, this.#store);
    try {
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction(this.#store, mode);
        const request = ask(transaction.objectStore(this.#store));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  }
}
