/** How long each layer takes on this device, measured when the visitor asks. */

import { element } from "./dom.js";
import { showLayers } from "./layers.js";
import { measureAlone } from "./measuring.js";
import { benchmark, layers as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").LoadedNetwork} LoadedNetwork */

const WARM_UP = 30;
const RUNS = 200;

export class LayerTimesView {
  #bridge;
  #button = element("measure-layers", HTMLButtonElement);
  #note = element("layers-note", HTMLElement);
  #abort = new AbortController();
  /** @type {LoadedNetwork | null} */
  #network = null;

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {import("./source.js").Source} source
   */
  constructor(bridge, source) {
    this.#bridge = bridge;
    this.#button.addEventListener("click", () => measureAlone(source, this.#button, (progress) => this.#run(progress)));
  }

  /** Another model is there: what was measured is not about it. @param {import("../shared/messages.js").LoadedModel} loaded */
  reset(loaded) {
    this.#abort.abort();
    this.#network = loaded.kind === "lsspq" ? loaded : null;
    const whole = this.#network !== null && this.#network.plan.length > 0 && this.#network.plan.every(({ kernel }) => kernel !== null);
    this.#button.hidden = !whole;
    this.#note.textContent = whole ? "" : words.partly;
  }

  /** @param {(progress: import("../shared/messages.js").Progress) => void} progress */
  async #run(progress) {
    const network = this.#network;
    if (!network) return;
    const { signal } = (this.#abort = new AbortController());
    try {
      const times = await this.#bridge.call("profile", { warmUp: WARM_UP, runs: RUNS }, { signal, progress });
      showLayers(network.layers, network.plan, times.layers);
      this.#note.textContent = words.timed(times);
    } catch (error) {
      if (!signal.aborted) this.#note.textContent = benchmark.failed(/** @type {Error} */ (error).message);
    }
  }
}
