/** Measures the model in this browser, and copies the result for others. */

import { percentile } from "../shared/stats.js";
import { element } from "./dom.js";
import { measureAlone } from "./measuring.js";
import { benchmark as words } from "./strings.js";
import { copyText } from "./tools.js";

/** @typedef {import("../shared/messages.js").Milliseconds} Milliseconds */

const WARM_UP = 10;
const RUNS = 100;

export class Benchmark {
  #bridge;
  #start = element("measure", HTMLButtonElement);
  #copy = element("copy-measure", HTMLButtonElement);
  #result = element("measure-result", HTMLElement);
  #abort = new AbortController();
  /** Named in what is copied. */
  model = { name: "", sha256: /** @type {string | null} */ (null) };
  #json = "";

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {import("./source.js").Source} source
   */
  constructor(bridge, source) {
    this.#bridge = bridge;
    this.#start.addEventListener("click", () => measureAlone(source, this.#start, (progress) => this.#run(progress)));
    this.#copy.addEventListener("click", () =>
      copyText(this.#json).then(
        () => (this.#copy.textContent = words.copied),
        (error) => (this.#result.textContent = words.failed(error.message)),
      ),
    );
  }

  /** Another model is there: what was measured is not about it. */
  reset() {
    this.#abort.abort();
    this.#copy.hidden = true;
    this.#result.textContent = "";
  }

  /** @param {(progress: import("../shared/messages.js").Progress) => void} progress */
  async #run(progress) {
    this.reset();
    const { signal } = (this.#abort = new AbortController());
    try {
      this.#show(await this.#bridge.call("benchmark", { warmUp: WARM_UP, runs: RUNS }, { signal, progress }));
    } catch (error) {
      if (!signal.aborted) this.#result.textContent = words.failed(/** @type {Error} */ (error).message);
    }
  }

  /** @param {Milliseconds[]} times */
  #show(times) {
    const part = (/** @type {keyof Milliseconds} */ name) => {
      const values = times.map((time) => time[name]);
      return { median: percentile(values, 0.5), p95: percentile(values, 0.95) };
    };
    const milliseconds = { inference: part("inference"), preprocess: part("preprocess"), total: part("total") };
    this.#result.textContent = words.result(milliseconds.total, milliseconds.inference, times.length);
    const device = { cores: navigator.hardwareConcurrency, memoryGiB: /** @type {any} */ (navigator).deviceMemory ?? null };
    const picture = { width: 640, height: 480 };
    this.#json = JSON.stringify(
      { model: this.model, picture, warmUp: WARM_UP, runs: times.length, milliseconds, browser: navigator.userAgent, device },
      null,
      2,
    );
    this.#copy.textContent = words.copy;
    this.#copy.hidden = false;
  }
}
