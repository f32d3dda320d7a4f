/** From a picture to its RGBA pixels. */

/**
 * Longest side that is read back. Larger photographs are reduced by the browser first: at 4096 pixels the network's
 * input is the same to the eye, and a phone's memory suffices.
 */
const LONGEST_SIDE = 4096;

const canvas = new OffscreenCanvas(1, 1);
// Pixels are read back at every frame: kept in memory, not on the graphics card.
const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));

/**
 * The pixels of a picture, which is closed.
 *
 * @param {ImageBitmap} picture
 * @returns {ImageData}
 */
export function readPixels(picture) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  // Setting the size clears the canvas even where it stays the same: what is transparent must not show the last frame.
  canvas.width = width;
  canvas.height = height;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  return context.getImageData(0, 0, width, height);
}
