/** The one way from the page to its worker: requests with ids, progress, cancellation. */

import { CodedError } from "../shared/messages.js";

/** @typedef {import("../shared/messages.js").Requests} Requests */
/** @typedef {import("../shared/messages.js").Progress} Progress */

export class Bridge {
  #worker;
  #nextId = 1;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void, progress?: (p: Progress) => void }>} */
  #pending = new Map();

  constructor() {
    this.#worker = new Worker(new URL("../worker/worker.js", import.meta.url), { type: "module", name: "classifier" });
    this.#worker.addEventListener("message", ({ data }) => this.#receive(data));
    // The worker itself cannot be loaded, or it broke: nothing that was asked will be answered.
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#pending.forEach(({ reject }) => reject(new CodedError("worker", event.message || "the worker did not start")));
      this.#pending.clear();
    });
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
      this.#pending.set(id, { resolve, reject, progress });
      signal?.addEventListener("abort", () => this.#cancel(id), { once: true });
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
    const request = this.#pending.get(id);
    if (!request) return;
    if (progress) {
      request.progress?.(progress);
      return;
    }
    this.#pending.delete(id);
    if (error) request.reject(new CodedError(error.code, error.message));
    else request.resolve(result);
  }
}
