/** How long an answer took: the middle of the last frames, and each of them as a bar. */

import { percentile } from "../shared/stats.js";
import { element } from "./dom.js";
import { answer as words } from "./strings.js";

/** Frames over whose times the middle one is shown. */
const MIDDLE_OF = 15;

/** Frames in the chart, one bar each. */
const CHARTED = 120;

/** How often the chart is drawn, in milliseconds. */
const DRAW_EVERY_MS = 100;

export class Timing {
  #latency = element("latency", HTMLElement);
  #rate = element("rate", HTMLElement);
  #breakdown = element("breakdown", HTMLElement);
  #box = element("chart-box", HTMLElement);
  #chart = element("chart", HTMLCanvasElement);
  #caption = element("chart-caption", HTMLElement);
  /** @type {number[]} */
  #latencies = [];
  /** @type {import("../shared/messages.js").Milliseconds[]} Of the frames whose middle one is shown. */
  #parts = [];
  /** @type {number[]} */
  #times = [];
  #drawn = 0;

  clear() {
    this.#latencies = [];
    this.#parts = [];
    this.#times = [];
    for (const node of [this.#latency, this.#rate, this.#breakdown]) node.textContent = words.none;
    this.#box.hidden = true;
  }

  /**
   * @param {number} now in milliseconds
   * @param {number} latency_ms from taking the frame to its answer
   * @param {import("../shared/messages.js").Milliseconds} milliseconds
   * @param {boolean} final of a picture: it has no rate
   */
  show(now, latency_ms, milliseconds, final) {
    this.#latencies = [...this.#latencies, latency_ms].slice(-CHARTED);
    this.#latency.textContent = words.milliseconds(percentile(this.#latencies.slice(-MIDDLE_OF), 0.5));
    this.#parts = [...this.#parts, milliseconds].slice(-MIDDLE_OF);
    // The middle ones too: that of a part is never longer than that of the whole.
    this.#breakdown.textContent = words.breakdown({
      inference: percentile(this.#parts.map((parts) => parts.inference), 0.5),
      preprocess: percentile(this.#parts.map((parts) => parts.preprocess), 0.5),
    });
    this.#times = [...this.#times, now].slice(-2 * MIDDLE_OF);
    const span = now - this.#times[0];
    this.#rate.textContent = final || span < 300 ? words.none : words.rate((1000 * (this.#times.length - 1)) / span);
    if (final || this.#latencies.length < 10 || now - this.#drawn < DRAW_EVERY_MS) return;
    this.#drawn = now;
    this.#draw();
  }

  #draw() {
    this.#box.hidden = false;
    const [median, slow] = [percentile(this.#latencies, 0.5), percentile(this.#latencies, 0.95)];
    this.#caption.textContent = words.chart(median, slow, this.#latencies.length);
    const { clientWidth: width, clientHeight: height } = this.#chart;
    const sharp = devicePixelRatio;
    if (this.#chart.width !== Math.round(width * sharp)) {
      this.#chart.width = Math.round(width * sharp);
      this.#chart.height = Math.round(height * sharp);
    }
    const context = this.#chart.getContext("2d");
    if (!context || !width) return;
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, width, height);
    // One frame that stalled does not flatten all others: what is higher is cut off.
    const top = 2 * Math.max(slow, 1);
    const step = width / CHARTED;
    const style = getComputedStyle(this.#chart);
    context.fillStyle = style.color;
    this.#latencies.forEach((value, i) => {
      const bar = Math.min(1, value / top) * height;
      context.fillRect((CHARTED - this.#latencies.length + i) * step, height - bar, Math.max(1, step - 1), bar);
    });
    context.fillStyle = style.borderTopColor;
    context.fillRect(0, height - (median / top) * height, width, 1);
  }
}
