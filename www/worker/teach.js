/** What is taught to the model that is loaded. */

import { CodedError } from "../shared/messages.js";
import { readPixels } from "./pixels.js";

/** @typedef {import("../shared/messages.js").Requests} Requests */
/** @typedef {import("../shared/messages.js").Taught} Taught */
/** @typedef {import("../../pkg/lsspq.js").Classifier} Classifier */
/** @typedef {import("../../pkg/lsspq.js").PlainClassifier} PlainClassifier */
/** @typedef {import("../../pkg/lsspq.js").Teacher} Teacher */

/** The longest side of a picture that is kept, in pixels: more than networks for such pictures are trained with. */
const KEPT_SIDE = 320;

export class Teaching {
  /** @type {import("./module.js").Library | null} */
  #library = null;
  /** The model, where it is one that can be taught. @type {Classifier | null} */
  #classifier = null;
  /** @type {Teacher | null} */
  #teacher = null;

  /**
   * Another model is there: what was taught is not about it.
   *
   * @param {import("./module.js").Library} library
   * @param {Classifier | PlainClassifier} classifier
   */
  begin(library, classifier) {
    this.#teacher?.free();
    this.#teacher = null;
    this.#library = library;
    this.#classifier = classifier instanceof library.Classifier ? classifier : null;
  }

  /**
   * @param {Uint8Array | null} file
   * @returns {Taught}
   */
  open(file) {
    if (!this.#library || !this.#classifier) throw new CodedError("no-embedding", "the model gives no embedding");
    const { Teacher } = this.#library;
    const teacher = file ? Teacher.load(this.#classifier, file) : new Teacher(this.#classifier);
    this.#teacher?.free();
    this.#teacher = teacher;
    return this.#train();
  }

  /**
   * @param {Requests["teachPicture"]["ask"]} ask
   * @returns {Promise<Requests["teachPicture"]["answer"]>}
   */
  async add({ picture, index, joined }) {
    const square = squareOf(picture);
    const { data, width, height } = readPixels(picture);
    const teacher = this.#current;
    const embedding = /** @type {Classifier} */ (this.#classifier).embed(data, width, height);
    const example = teacher.add(index, embedding, joined);
    return { example, jpeg: await square.convertToBlob({ type: "image/jpeg", quality: 0.92 }) };
  }

  /**
   * @param {import("../shared/messages.js").TeachChange} change
   * @returns {Taught}
   */
  change(change) {
    const teacher = this.#current;
    if (change.kind === "add-class") teacher.addClass(change.name);
    else if (change.kind === "rename-class") teacher.renameClass(change.index, change.name);
    else if (change.kind === "remove-class") teacher.removeClass(change.index);
    else if (change.kind === "remove") teacher.remove(change.example);
    else if (change.kind === "undo") teacher.undo();
    return this.#train();
  }

  save() {
    return { bytes: /** @type {Uint8Array<ArrayBuffer>} */ (this.#current.save()) };
  }

  /**
   * As the classifier's own, with the taught classes.
   *
   * @param {Classifier | PlainClassifier} classifier
   * @param {Uint8ClampedArray} data
   * @param {number} width
   * @param {number} height
   * @param {number} topK
   * @param {boolean} withInput
   * @returns {import("../../pkg/lsspq.js").TaughtClassification}
   */
  classify(classifier, data, width, height, topK, withInput) {
    if (this.#teacher && this.#classifier) return this.#teacher.classify(this.#classifier, data, width, height, topK, withInput);
    return { ...classifier.classify(data, width, height, topK, withInput), taught: [] };
  }

  get #current() {
    if (!this.#teacher) throw new CodedError("no-teacher", "nothing can be taught before a model is loaded");
    return this.#teacher;
  }

  #train() {
    const begin = performance.now();
    this.#current.train();
    return { state: this.#current.state(), milliseconds: performance.now() - begin };
  }
}

/**
 * The square in the middle of a picture, which is all that the network sees of it.
 *
 * @param {ImageBitmap} picture
 */
function squareOf(picture) {
  const cut = Math.min(picture.width, picture.height);
  const side = Math.min(cut, KEPT_SIDE);
  const canvas = new OffscreenCanvas(side, side);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (picture.width - cut) / 2, (picture.height - cut) / 2, cut, cut, 0, 0, side, side);
  return canvas;
}
