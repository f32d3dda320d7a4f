/** ONNX files made from the shipped one. */

/** @param {Buffer} bytes @param {number} at @returns {[number, number]} the number and where the next begins */
function varint(bytes, at) {
  let [value, factor] = [0, 1];
  for (;;) {
    const byte = bytes[at++];
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at];
    factor *= 128;
  }
}

/** The classes of the shipped model. */
export const LABELS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/** Field 14 of an ONNX file: its metadata. */
const METADATA = 14;

/**
 * The same network as another program would have written it: without the model card.
 *
 * @param {Buffer} model
 */
export function withoutCard(model) {
  const kept = [];
  for (let at = 0; at < model.length; ) {
    const begin = at;
    let [key, length] = [0, 0];
    [key, at] = varint(model, at);
    // Wire type 2 says its length; the others of a model are single numbers.
    [length, at] = varint(model, at);
    if ((key & 7) === 2) at += length;
    if (key >> 3 !== METADATA) kept.push(model.subarray(begin, at));
  }
  return Buffer.concat(kept);
}

/**
 * Adds one line of metadata.
 *
 * @param {Buffer} model
 * @param {string} key
 * @param {string} value shorter than 100 bytes, as the key
 */
export function withMetadata(model, key, value) {
  const text = (/** @type {number} */ field, /** @type {string} */ t) => Buffer.concat([Buffer.from([8 * field + 2, Buffer.byteLength(t)]), Buffer.from(t)]);
  const entry = Buffer.concat([text(1, key), text(2, value)]);
  const length = entry.length < 128 ? [entry.length] : [(entry.length & 127) | 128, entry.length >> 7];
  return Buffer.concat([model, Buffer.from([8 * METADATA + 2, ...length]), entry]);
}
