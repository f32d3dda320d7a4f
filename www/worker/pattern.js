/** The picture on which the model is measured. */

/** Its size in pixels: what the camera gives. */
export const [WIDTH, HEIGHT] = [640, 480];

/** RGBA pixels with edges and grain, the same every time. */
export function pattern() {
  const rgba = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
  let state = 1;
  for (let i = 0; i < rgba.length; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [x, y] = [(i >> 2) % WIDTH, Math.floor((i >> 2) / WIDTH)];
    rgba[i] = (x ^ y) & 255;
    rgba[i + 1] = (255 * x) / WIDTH;
    rgba[i + 2] = state >>> 24;
    rgba[i + 3] = 255;
  }
  return rgba;
}
