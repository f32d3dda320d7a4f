/** The worker: it owns the WebAssembly module and the model, and answers the requests of shared/messages.js. */

import { CodedError } from "../shared/messages.js";
import { startLibrary } from "./module.js";
import { fetchModel, readModel } from "./model.js";
import { readPixels } from "./pixels.js";

/** @typedef {import("../shared/messages.js").Requests} Requests */
/** @typedef {{ signal: AbortSignal, report: (progress: import("../shared/messages.js").Progress) => void }} Call */

/** @type {Promise<import("./module.js").Library> | null} */
let starting = null;
/** @type {import("../../pkg/lsspq.js").Classifier | null} */
let classifier = null;
/** The load that counts: one that began earlier must not replace the model of one that began later. */
let newestLoad = 0;

/** @type {{ [K in keyof Requests]: (ask: Requests[K]["ask"], call: Call) => Promise<Requests[K]["answer"]> }} */
const handlers = {
  async start(_, { signal, report }) {
    starting ??= startLibrary(signal, report);
    await starting.catch((error) => {
      // The next attempt begins anew.
      starting = null;
      throw error;
    });
    return {};
  },

  async load(ask, { signal, report }) {
    const turn = ++newestLoad;
    const { bytes, sha256 } = "file" in ask ? await readModel(ask.file, report) : await fetchModel(ask.entry, signal, report);
    if (!starting) throw new CodedError("not-started", "the library was not started");
    const { Classifier } = await starting;
    if (signal.aborted || turn !== newestLoad) throw new CodedError("cancelled", "another model was chosen");
    const loaded = Classifier.load(bytes);
    const answer = { card: loaded.card(), metrics: loaded.metrics(), sha256 };
    // Only now that everything about the new one is known does the old one go.
    classifier?.free();
    classifier = loaded;
    return answer;
  },

  async classify({ picture, topK, withInput }) {
    if (!classifier) {
      picture.close();
      throw new CodedError("no-model", "no model is loaded");
    }
    const { data, width, height } = readPixels(picture);
    const { predictions, milliseconds } = classifier.classify(data, width, height, topK);
    return { predictions, milliseconds, input: withInput ? classifier.input(data, width, height) : null };
  },
};

/** @type {Map<number, AbortController>} */
const running = new Map();

self.addEventListener("message", async ({ data: { id, type, ask } }) => {
  if (type === "cancel") {
    running.get(id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(id, controller);
  const { signal } = controller;
  const report = (/** @type {object} */ progress) => self.postMessage({ id, progress });
  try {
    const result = await handlers[/** @type {keyof Requests} */ (type)](ask, { signal, report });
    self.postMessage({ id, result });
  } catch (error) {
    const { code = "unknown", message = String(error) } = /** @type {any} */ (error) ?? {};
    self.postMessage({ id, error: { code: signal.aborted ? "cancelled" : String(code), message } });
  } finally {
    running.delete(id);
  }
});
