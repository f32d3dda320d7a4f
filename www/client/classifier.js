/** Library and models: loading them, changing them, and saying why one does not load. */

import { element } from "./dom.js";
import { fetchModelList } from "./models.js";
import { showPanel } from "./panel.js";
import { ProgressView } from "./progress.js";
import { library, loading, model as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").ModelEntry} ModelEntry */
/** @typedef {import("../shared/messages.js").LoadedModel} LoadedModel */
/** @typedef {import("../shared/messages.js").CodedError} CodedError */
/** @typedef {{ name: string, ask: { entry: ModelEntry } | { file: File } }} Choice */

export class Classifier {
  #bridge;
  #notice;
  #onLoaded;
  #progress = new ProgressView();
  #select = element("model", HTMLSelectElement);
  /** What the select offers, in its order. @type {Choice[]} */
  #choices = [];
  /** The one that answers now. @type {Choice | null} */
  #current = null;
  #libraryReady = false;
  #abort = new AbortController();

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {import("./notice.js").Notice} notice
   * @param {(loaded: LoadedModel) => void} onLoaded
   */
  constructor(bridge, notice, onLoaded) {
    this.#bridge = bridge;
    this.#notice = notice;
    this.#onLoaded = onLoaded;
    this.#select.addEventListener("change", () => this.#load(this.#choices[this.#select.selectedIndex]));
    const [button, input] = [element("open-model", HTMLButtonElement), element("model-file", HTMLInputElement)];
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) this.openFile(file);
      input.value = "";
    });
  }

  /** Loads the list of models and its first. */
  async start() {
    try {
      this.#progress.begin(loading.library, ["library", "model"]);
      const entries = await fetchModelList();
      this.#choices = entries.map((entry) => ({ name: entry.name, ask: { entry } }));
      this.#showChoices();
      await this.#load(this.#choices[0]);
    } catch (error) {
      this.#progress.fail();
      const { code, message } = /** @type {CodedError} */ (error);
      this.#notice.show("model", words.error(code, message, ""), { label: words.retry, act: () => this.start() });
    }
  }

  /** @param {File} file a model from the visitor's own disk */
  openFile(file) {
    return this.#load({ name: file.name, ask: { file } });
  }

  /** @param {Choice} choice */
  async #load(choice) {
    this.#abort.abort();
    const { signal } = (this.#abort = new AbortController());
    const parts = this.#libraryReady ? ["model"] : ["library", "model"];
    this.#progress.begin(this.#libraryReady ? loading.model(choice.name) : loading.library, parts);
    const { ask } = choice;
    this.#progress.update("model", { loaded: 0, total: "entry" in ask ? ask.entry.bytes : ask.file.size });
    try {
      // Both at once: the module compiles while the model arrives.
      const starting = this.#libraryReady ? null : this.#startLibrary();
      const asked = this.#bridge.call("load", ask, { signal, progress: (p) => this.#progress.update("model", p) });
      const [loaded] = await Promise.all([asked, starting]);
      this.#accept(choice, loaded);
    } catch (error) {
      if (!signal.aborted) this.#refuse(choice, /** @type {CodedError} */ (error));
    }
  }

  async #startLibrary() {
    // Not cancelled with a model: every model needs it.
    await this.#bridge.call("start", {}, { progress: (p) => this.#progress.update("library", p) });
    this.#libraryReady = true;
  }

  /**
   * @param {Choice} choice
   * @param {LoadedModel} loaded
   */
  #accept(choice, loaded) {
    if (!this.#choices.includes(choice)) this.#choices.push(choice);
    this.#current = choice;
    this.#showChoices();
    this.#progress.end();
    this.#notice.clear("model");
    showPanel(loaded);
    this.#onLoaded(loaded);
    document.body.dataset.state = "ready";
  }

  /**
   * @param {Choice} choice
   * @param {CodedError} error
   */
  #refuse(choice, error) {
    this.#showChoices();
    if (this.#current) this.#progress.end();
    else this.#progress.fail();
    const retry = { label: words.retry, act: () => void this.#load(choice) };
    if (["library-missing", "library-broken", "worker"].includes(error.code)) {
      const words = error.code === "library-missing" ? library.missing : library.broken(error.message);
      this.#notice.show("model", words, retry);
      return;
    }
    const kept = this.#current ? words.kept(this.#current.name) : "";
    const sentence = words.error(error.code, error.message.replace(/\.$/, ""), choice.name) + kept;
    this.#notice.show("model", sentence, "file" in choice.ask ? undefined : retry);
  }

  /** Fills the select and marks the model that answers now. */
  #showChoices() {
    this.#select.replaceChildren(...this.#choices.map(({ name }) => new Option(name)));
    this.#select.selectedIndex = this.#current ? this.#choices.indexOf(this.#current) : 0;
    this.#select.disabled = this.#choices.length === 0;
  }
}
