/**
 * What the page and its worker say to each other. Every request has an id; the worker answers it with any number of
 * progress messages and then one result or one error. A cancelled request is answered with an error of code `cancelled`;
 * one that broke the library, with `crashed`: that worker answers nothing more.
 *
 * @typedef {{ file: string, name: string, dataset: string, sha256: string, bytes: number }} ModelEntry
 *   One line of models/index.json; `file` is relative to that folder.
 * @typedef {{ loaded: number, total: number | null }} Progress
 *   Bytes, or runs of a benchmark; the total is null where nobody said it.
 * @typedef {{ code: string, message: string }} Failure
 *   For programs, and for people.
 *
 * @typedef {import("../../pkg/lsspq.js").ModelCard} ModelCard
 * @typedef {import("../../pkg/lsspq.js").Metrics} Metrics
 * @typedef {import("../../pkg/lsspq.js").Layer} Layer
 * @typedef {import("../../pkg/lsspq.js").Shift} Shift
 * @typedef {import("../../pkg/lsspq.js").PlannedLayer} PlannedLayer
 * @typedef {import("../../pkg/lsspq.js").PlainInfo} PlainInfo
 * @typedef {import("../../pkg/lsspq.js").Prediction} Prediction
 * @typedef {import("../../pkg/lsspq.js").TaughtState} TaughtState
 * @typedef {{ preprocess: number, inference: number, total: number }} Milliseconds
 *
 * @typedef {{ labelsText: string | null, normalisation: import("../../pkg/lsspq.js").Normalisation }} PlainOptions
 *   What a plain classifier does not say itself; the labels are the text of a file.
 * @typedef {{ blob: Blob, name: string, plain: PlainOptions }} OwnModel
 *   A model of the visitor's own; the options count where it has no model card.
 *
 * @typedef {{ labels: string[], threshold: number | null, sha256: string | null }} Loaded
 * @typedef {Loaded & { kind: "lsspq", card: ModelCard, metrics: Metrics, layers: Layer[], plan: PlannedLayer[], shifts: Shift[] }} LoadedNetwork
 * @typedef {Loaded & { kind: "plain", info: PlainInfo }} LoadedPlain
 * @typedef {LoadedNetwork | LoadedPlain} LoadedModel
 * @typedef {{ predictions: Prediction[], taught: Prediction[], milliseconds: Milliseconds, input: Float32Array | null }} Answer
 *   `taught` are the taught classes, none before two of them were trained; `input` is what the network saw, [3, S, S] in
 *   [0, 1], where it was asked for.
 *
 * @typedef {{ kind: "add-class", name: string } | { kind: "rename-class", index: number, name: string } | { kind: "remove-class", index: number }
 *   | { kind: "remove", example: number } | { kind: "undo" } | { kind: "train" }} TeachChange
 * @typedef {{ state: TaughtState, milliseconds: number }} Taught
 *   What is taught, and how long the training took.
 *
 * @typedef {{ layers: number[], whole: number, runs: number, tick: number }} LayerTimes
 *   Milliseconds of every step of the plan, and of the network run without reading the clock in between: means over the
 *   three quarters of the runs that were fastest; the smallest step of the clock in milliseconds.
 *
 * @typedef {object} Requests
 *   What can be asked, and what is answered.
 * @property {{ ask: {}, answer: {} }} start
 *   Fetch and start the WebAssembly module.
 * @property {{ ask: { entry: ModelEntry } | { own: OwnModel }, answer: LoadedModel }} load
 *   Load a published model, or one from a file. Where that fails, the model that was there stays.
 * @property {{ ask: { picture: ImageBitmap, topK: number, withInput: boolean }, answer: Answer }} classify
 *   The picture is handed over and closed.
 * @property {{ ask: { warmUp: number, runs: number }, answer: Milliseconds[] }} benchmark
 *   The times of that many runs on one generated picture of 640x480 pixels.
 * @property {{ ask: { warmUp: number, runs: number }, answer: LayerTimes }} profile
 *   The same picture, layer by layer; only of a network that runs in whole numbers throughout.
 * @property {{ ask: { file: Uint8Array | null }, answer: Taught }} teachOpen
 *   Teach the model that is loaded, from nothing or from a file. Where the file is refused, what was taught stays.
 * @property {{ ask: { picture: ImageBitmap, index: number, joined: boolean }, answer: { example: number, jpeg: Blob } }} teachPicture
 *   Add a picture, which is handed over, to the class at that position; `joined` to the one before, it is undone with it.
 *   The answer is its number and its square, to be kept. It counts after the next change.
 * @property {{ ask: TeachChange, answer: Taught }} teachChange
 *   Change what is taught, and train.
 * @property {{ ask: {}, answer: { bytes: Uint8Array<ArrayBuffer> } }} teachSave
 *   The file of what is taught.
 */

/** The largest model file that is fetched or read; the library refuses more. */
export const MAX_MODEL_BYTES = 64 * 2 ** 20;

/** Where the published models lie, seen from the page. */
export const MODELS_FOLDER = "models/";

/** An error with a code: what crosses from the worker to the page. */
export class CodedError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "CodedError";
    this.code = code;
  }
}
