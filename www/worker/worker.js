/** The worker: it owns the WebAssembly module and the model, and answers the requests of shared/messages.js. */

import { CodedError } from "../shared/messages.js";
import { benchmark } from "./benchmark.js";
import { load } from "./load.js";
import { startLibrary } from "./module.js";
import { fetchModel, readModel } from "./model.js";
import { readPixels } from "./pixels.js";
import { profile } from "./profile.js";
import { Teaching } from "./teach.js";

/** @typedef {import("../shared/messages.js").Requests} Requests */
/** @typedef {{ signal: AbortSignal, report: (progress: import("../shared/messages.js").Progress) => void }} Call */

/** @type {Promise<import("./module.js").Library> | null} */
let starting = null;
/** @type {import("./load.js").Answering["classifier"] | null} */
let classifier = null;
/** The load that counts: one that began earlier must not replace the model of one that began later. */
let newestLoad = 0;
/** What is taught to the classifier. */
const teaching = new Teaching();

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
    const { bytes, sha256 } = "own" in ask ? await readModel(ask.own, report) : await fetchModel(ask.entry, signal, report);
    if (!starting) throw new CodedError("not-started", "the library was not started");
    const library = await starting;
    if (signal.aborted || turn !== newestLoad) throw new CodedError("cancelled", "another model was chosen");
    const answering = load(library, bytes, sha256, "own" in ask ? ask.own.plain : null);
    // Only now that everything about the new one is known does the old one go.
    classifier?.free();
    classifier = answering.classifier;
    teaching.begin(library, classifier);
    return answering.loaded;
  },

  async classify({ picture, topK, withInput }) {
    if (!classifier) {
      picture.close();
      throw new CodedError("no-model", "no model is loaded");
    }
    const { data, width, height } = readPixels(picture);
    const { predictions, taught, milliseconds, input } = teaching.classify(classifier, data, width, height, topK, withInput);
    return { predictions, taught, milliseconds, input: input ?? null };
  },

  async benchmark(ask, { signal, report }) {
    if (!classifier) throw new CodedError("no-model", "no model is loaded");
    return benchmark(classifier, ask, signal, report);
  },

  async profile(ask, { signal, report }) {
    if (!classifier || !("profile" in classifier)) throw new CodedError("no-model", "no model with known layers is loaded");
    return profile(classifier, ask, signal, report);
  },
  teachOpen: async ({ file }) => teaching.open(file),
  teachPicture: (ask) => teaching.add(ask),
  teachChange: async (change) => teaching.change(change),
  teachSave: async () => teaching.save(),
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
    self.postMessage({ id, error: { code: codeOf(error, signal) ?? String(code), message } });
  } finally {
    running.delete(id);
  }
});

/**
 * @param {unknown} error
 * @param {AbortSignal} signal
 */
function codeOf(error, signal) {
  if (error instanceof WebAssembly.RuntimeError) return "crashed";
  return signal.aborted ? "cancelled" : null;
}
