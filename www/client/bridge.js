/** The one way from the page to its worker: requests with ids, progress, cancellation. */

import { CodedError } from "../shared/messages.js";

/** @typedef {import("../shared/messages.js").Requests} Requests */
/** @typedef {import("../shared/messages.js").Progress} Progress */

export class Bridge {
  #worker = this.#hire();
  #nextId = 1;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void, progress?: (p: Progress) => void }>} */
  #pending = new Map();
  /** Called when the worker broke and a new one, which knows nothing yet, took its place. */
  onNewWorker = () => {};

  #hire() {
    const worker = new Worker(new URL("../worker/worker.js", import.meta.url), { type: "module", name: "classifier" });
    worker.addEventListener("message", ({ data }) => this.#receive(data));
    // The worker itself cannot be loaded, or it broke: nothing that was asked will be answered.
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#refuseAll(new CodedError("worker", event.message || "the worker did not start"));
    });
    return worker;
  }

  /** @param {CodedError} error */
  #refuseAll(error) {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    pending.forEach(({ reject }) => reject(error));
  }

  /**
   * Asks the worker.
   *
   * @template {keyof Requests} K
   * @param {K} type
   * @param {Requests[K]["ask"]} ask
   * @param {{ transfer?: Transferable[], signal?: AbortSignal, progress?: (progress: Progress) => void }} [options]
   * @returns {Promise<Requests[K]["answer"]>} rejects with a CodedError
   */
  call(type, ask, { transfer = [], signal, progress } = {}) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new CodedError("cancelled", "cancelled"));
      const cancel = () => this.#cancel(id);
      signal?.addEventListener("abort", cancel, { once: true });
      // A camera asks many times with one signal: it must not keep a listener for each.
      const done = () => signal?.removeEventListener("abort", cancel);
      this.#pending.set(id, { resolve: (r) => (done(), resolve(r)), reject: (e) => (done(), reject(e)), progress });
      this.#worker.postMessage({ id, type, ask }, transfer);
    });
  }

  /** @param {number} id */
  #cancel(id) {
    const request = this.#pending.get(id);
    if (!request) return;
    this.#pending.delete(id);
    this.#worker.postMessage({ id, type: "cancel" });
    request.reject(new CodedError("cancelled", "cancelled"));
  }

  /** @param {{ id: number, result?: any, error?: import("../shared/messages.js").Failure, progress?: Progress }} message */
  #receive({ id, result, error, progress }) {
    if (error?.code === "crashed") this.#replaceWorker();
    const request = this.#pending.get(id);
    if (!request) return;
    if (progress) {
      request.progress?.(progress);
      return;
    }
    this.#pending.delete(id);
    if (error) request.reject(new CodedError(error.code, error.message));
    else request.resolve(result);
    if (error?.code === "crashed") {
      this.#refuseAll(new CodedError("cancelled", "the worker was replaced"));
      // After those who asked have heard of it.
      setTimeout(() => this.onNewWorker());
    }
  }

  /** A panic inside WebAssembly leaves an instance that cannot be trusted: another worker takes over. */
  #replaceWorker() {
    this.#worker.terminate();
    this.#worker = this.#hire();
  }
}
