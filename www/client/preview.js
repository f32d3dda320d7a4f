/** The picture as the network gets it: its few pixels, drawn from the very numbers that go in. */

import { element } from "./dom.js";
import { answer as words } from "./strings.js";

const canvas = element("preview", HTMLCanvasElement);
const caption = element("preview-caption", HTMLElement);

/** @param {Float32Array} input [3, S, S] in [0, 1] */
export function showInput(input) {
  const side = Math.round(Math.sqrt(input.length / 3));
  const pixels = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    for (let colour = 0; colour < 3; colour++) pixels.data[4 * i + colour] = Math.round(255 * input[colour * side * side + i]);
    pixels.data[4 * i + 3] = 255;
  }
  if (canvas.width !== side) canvas.width = canvas.height = side;
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  const words_ = words.preview(side);
  if (caption.textContent !== words_) caption.textContent = words_;
}
