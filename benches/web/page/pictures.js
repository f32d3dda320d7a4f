/** Random pictures, the same at every run. */

/**
 * RGBA pixels of a square: random tiles, so that pictures differ as a whole, under random grain.
 *
 * @param {number} seed
 * @param {number} side
 */
export function picture(seed, side) {
  let state = (seed * 2654435761 + 1) >>> 0;
  const roll = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const tile = Math.max(1, Math.floor(side / 7));
  const tiles = Math.ceil(side / tile);
  const colours = Array.from({ length: tiles * tiles * 3 }, () => 255 * roll());
  const rgba = new Uint8ClampedArray(side * side * 4);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = 4 * (y * side + x);
      const colour = 3 * (Math.floor(y / tile) * tiles + Math.floor(x / tile));
      for (let c = 0; c < 3; c++) rgba[at + c] = colours[colour + c] + 51 * (roll() - 0.5);
      rgba[at + 3] = 255;
    }
  }
  return rgba;
}
