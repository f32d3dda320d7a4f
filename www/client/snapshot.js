/** A picture with its answer written on it, to be saved. */

import { answer as words } from "./strings.js";

/** The longest side in pixels. */
const LONGEST = 1280;

/**
 * @param {ImageBitmap} picture is closed
 * @param {{ top: import("../shared/messages.js").Prediction, unsure: boolean }} headline
 * @param {string} model
 * @param {boolean} mirrored as it is shown
 * @returns {Promise<Blob>} a PNG
 */
export function annotate(picture, { top, unsure }, model, mirrored) {
  const scale = Math.min(LONGEST / Math.max(picture.width, picture.height), 4);
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  const line = Math.max(18, Math.round(Math.min(width, height) / 14));
  const canvas = new OffscreenCanvas(width, height + Math.round(2.6 * line));
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#0b0e0c";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.save();
  if (mirrored) {
    context.translate(width, 0);
    context.scale(-1, 1);
  }
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  context.restore();
  picture.close();

  const side = Math.min(width, height);
  const [left, up] = [(width - side) / 2, (height - side) / 2];
  context.fillStyle = "rgb(11 14 12 / 65%)";
  context.fillRect(0, 0, left, height);
  context.fillRect(left + side, 0, width - left - side, height);
  context.fillRect(0, 0, width, up);
  context.fillRect(0, up + side, width, height - up - side);
  context.strokeStyle = "#ffffff";
  context.lineWidth = 2;
  context.strokeRect(left + 1, up + 1, side - 2, side - 2);

  const headline = `${unsure ? `${words.unsure} ` : ""}${top.label} ${words.percent(top.probability)}`;
  context.fillStyle = "#6be0b3";
  context.font = `700 ${line}px system-ui, sans-serif`;
  context.fillText(headline, line / 2, height + 1.15 * line, width - line);
  context.fillStyle = "#b9c3bb";
  context.font = `${Math.round(0.6 * line)}px system-ui, sans-serif`;
  context.fillText(`${model} · lsspq`, line / 2, height + 2.1 * line, width - line);
  return canvas.convertToBlob({ type: "image/png" });
}
