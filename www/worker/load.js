/** From the bytes of a model to one that answers, and what there is to say about it. */

/** @typedef {import("./module.js").Library} Library */
/** @typedef {import("../shared/messages.js").LoadedModel} LoadedModel */
/** @typedef {import("../shared/messages.js").PlainOptions} PlainOptions */
/**
 * @typedef {object} Answering
 * @property {import("../../pkg/lsspq.js").Classifier | import("../../pkg/lsspq.js").PlainClassifier} classifier
 * @property {LoadedModel} loaded
 */

/**
 * A network of this project; where the file has no model card and that is allowed, a plain classifier.
 *
 * @param {Library} library
 * @param {Uint8Array} bytes
 * @param {string | null} sha256
 * @param {PlainOptions | null} plain
 * @returns {Answering}
 */
export function load(library, bytes, sha256, plain) {
  try {
    const classifier = library.Classifier.load(bytes);
    const card = classifier.card();
    const threshold = card.calibration?.threshold ?? null;
    const about = { card, metrics: classifier.metrics(), layers: classifier.layers(), plan: classifier.plan(), shifts: classifier.shifts() };
    return { classifier, loaded: { kind: "lsspq", labels: card.labels, threshold, sha256, ...about } };
  } catch (error) {
    if (!plain || /** @type {{ code?: string }} */ (error)?.code !== "no-card") throw error;
    const labels = plain.labelsText === null ? undefined : library.parseLabels(plain.labelsText);
    const classifier = library.PlainClassifier.load(bytes, labels, plain.normalisation);
    const info = classifier.info();
    return { classifier, loaded: { kind: "plain", labels: info.labels, threshold: null, sha256, info } };
  }
}
