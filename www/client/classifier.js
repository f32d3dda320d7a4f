/** Library and models: loading them, changing them, and saying why one does not load. */

import { element } from "./dom.js";
import { fetchModelList, forgetModelInAddress, modelInAddress } from "./models.js";
import { ownModels } from "./own.js";
import { showPanel } from "./panel.js";
import { PlainControls } from "./plain.js";
import { ProgressView } from "./progress.js";
import { recall, remember } from "./settings.js";
import { library, loading, model as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").ModelEntry} ModelEntry */
/** @typedef {import("../shared/messages.js").OwnModel} OwnModel */
/** @typedef {import("../shared/messages.js").LoadedModel} LoadedModel */
/** @typedef {import("../shared/messages.js").CodedError} CodedError */
/** @typedef {{ name: string, ask: { entry: ModelEntry } | { own: OwnModel }, sha256: string | null }} Choice */

const MODEL = /\.onnx$/i;
const LABELS = /\.(txt|json)$/i;

export class Classifier {
  #bridge;
  #notice;
  #onLoaded;
  #progress = new ProgressView();
  #select = element("model", HTMLSelectElement);
  #back = element("back", HTMLButtonElement);
  #forget = element("forget", HTMLButtonElement);
  #plain = new PlainControls((plain) => this.#changePlain(plain));
  /** What the select offers, in its order: the published ones, then the visitor's own. @type {Choice[]} */
  #choices = [];
  /** The one that answers now. @type {Choice | null} */
  #current = null;
  /** The published one that answered last, at this visit or an earlier one. @type {Choice | undefined} */
  #published;
  /** @type {LoadedModel | null} */
  #loaded = null;
  #libraryReady = false;
  #abort = new AbortController();

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {import("./notice.js").Notice} notice
   * @param {(loaded: LoadedModel, name: string, entry: ModelEntry | null) => void} onLoaded `entry` is that of a published model
   */
  constructor(bridge, notice, onLoaded) {
    this.#bridge = bridge;
    this.#notice = notice;
    this.#onLoaded = onLoaded;
    this.#select.addEventListener("change", () => this.#load(this.#choices[this.#select.selectedIndex]));
    this.#back.addEventListener("click", () => this.#goBack());
    this.#forget.addEventListener("click", () => this.#forgetCurrent());
    const [button, input] = [element("open-model", HTMLButtonElement), element("model-file", HTMLInputElement)];
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.openFiles([...(input.files ?? [])]);
      input.value = "";
    });
    bridge.onNewWorker = () => {
      this.#libraryReady = false;
      if (this.#current) this.#load(this.#current, true);
    };
  }

  /** Loads the list of models, and the one that the address names, or that was used last, or else the first. */
  async start() {
    try {
      this.#progress.begin(loading.library, ["library", "model"]);
      const [entries, kept] = await Promise.all([fetchModelList(), ownModels.all()]);
      const published = entries.map((entry) => ({ name: entry.name, ask: { entry }, sha256: entry.sha256.toLowerCase() }));
      const own = kept.map(({ name, blob, plain, sha256 }) => ({ name, ask: { own: { name, blob, plain } }, sha256 }));
      this.#choices = [...published, ...own];
      this.#showChoices();
      this.#published = published.find(({ sha256 }) => sha256 === recall("published", ""));
      const [named, last] = [modelInAddress(), recall("model", "")];
      const linked = this.#choices.find(({ ask }) => "entry" in ask && ask.entry.file === named);
      // The same file may be there twice: the visitor's own comes last.
      const chosen = linked ?? this.#choices.findLast(({ sha256 }) => sha256 === last) ?? this.#choices[0];
      if (named && !linked) this.#notice.show("model", words.notListed(named, chosen.name));
      await this.#load(chosen, Boolean(named && !linked));
      // One's own model may no longer load, as after an update of the library: the page is not left without any.
      if (!this.#current && "own" in chosen.ask && this.#libraryReady) await this.#load(this.#way, true);
    } catch (error) {
      this.#progress.fail();
      const { code, message } = /** @type {CodedError} */ (error);
      this.#notice.show("model", words.error(code, message, ""), { label: words.retry, act: () => this.start() });
    }
  }

  /**
   * Whether these files are for the classifier: a model, or labels for a plain one.
   *
   * @param {File[]} files
   */
  takes(files) {
    const plain = this.#loaded?.kind === "plain";
    return files.some(({ name }) => MODEL.test(name) || (plain && LABELS.test(name)));
  }

  /**
   * Opens a model of the visitor's own, labels for the one that answers, or both together.
   *
   * @param {File[]} files
   */
  async openFiles(files) {
    const model = files.find(({ name }) => MODEL.test(name));
    const labels = files.find(({ name }) => LABELS.test(name));
    const labelsText = labels ? await labels.text() : null;
    if (model) {
      /** @type {OwnModel} */
      const own = { blob: model, name: model.name, plain: { labelsText, normalisation: "unit" } };
      await this.#load({ name: model.name, ask: { own }, sha256: null });
    } else if (this.#loaded?.kind === "plain" && labelsText !== null) {
      await this.#changePlain({ labelsText });
    } else if (files[0]) {
      this.#notice.show("model", words.noModel(files[0].name));
    }
  }

  /** @param {Partial<import("../shared/messages.js").PlainOptions>} plain */
  async #changePlain(plain) {
    if (!this.#current || !("own" in this.#current.ask)) return;
    const { own } = this.#current.ask;
    await this.#load({ ...this.#current, ask: { own: { ...own, plain: { ...own.plain, ...plain } } } });
  }

  /**
   * @param {Choice} choice
   * @param {boolean} [keepNotice] what is said stays: it is about why this model is loaded
   */
  async #load(choice, keepNotice = false) {
    this.#abort.abort();
    const { signal } = (this.#abort = new AbortController());
    const parts = this.#libraryReady ? ["model"] : ["library", "model"];
    this.#progress.begin(this.#libraryReady ? loading.model(choice.name) : loading.library, parts);
    const { ask } = choice;
    this.#progress.update("model", { loaded: 0, total: "entry" in ask ? ask.entry.bytes : ask.own.blob.size });
    try {
      // Both at once: the module compiles while the model arrives.
      const starting = this.#libraryReady ? null : this.#startLibrary();
      const asked = this.#bridge.call("load", ask, { signal, progress: (p) => this.#progress.update("model", p) });
      const [loaded] = await Promise.all([asked, starting]);
      if (!keepNotice) this.#notice.clear("model");
      this.#accept({ ...choice, sha256: loaded.sha256 }, loaded);
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
    const own = "own" in choice.ask;
    const known = this.#choices.findIndex((c) => "own" in c.ask === own && c.sha256 === choice.sha256 && (c.sha256 || c.name === choice.name));
    if (known < 0) this.#choices.push(choice);
    else this.#choices[known] = choice;
    this.#current = choice;
    if ("entry" in choice.ask) {
      this.#published = choice;
      remember("published", choice.sha256 ?? "");
    }
    if (!("entry" in choice.ask) || choice.ask.entry.file !== modelInAddress()) forgetModelInAddress();
    this.#loaded = loaded;
    this.#showChoices();
    this.#progress.end();
    if (choice.sha256) remember("model", choice.sha256);
    if ("own" in choice.ask && choice.sha256) ownModels.keep({ ...choice.ask.own, sha256: choice.sha256 });
    this.#plain.show(loaded, "own" in choice.ask ? choice.ask.own.plain : null);
    showPanel(loaded, choice.name);
    this.#onLoaded(loaded, choice.name, "entry" in choice.ask ? choice.ask.entry : null);
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
    this.#notice.show("model", sentence, "own" in choice.ask ? undefined : retry);
    this.#plain.show(this.#loaded, this.#current && "own" in this.#current.ask ? this.#current.ask.own.plain : null);
  }

  /** The published model to go back to. */
  get #way() {
    return this.#published ?? this.#choices[0];
  }

  #goBack() {
    this.#select.focus();
    return this.#load(this.#way);
  }

  async #forgetCurrent() {
    const choice = this.#current;
    if (!choice || !("own" in choice.ask)) return;
    if (choice.sha256) await ownModels.forget(choice.sha256);
    await this.#goBack();
    // The published one did not load: this one still answers, until the page is left.
    if (this.#current === choice) return;
    this.#choices = this.#choices.filter((c) => c !== choice);
    this.#showChoices();
  }

  /** Fills the select and marks the model that answers now. */
  #showChoices() {
    const options = this.#choices.map(({ name }) => new Option(name));
    const group = (/** @type {string} */ label, /** @type {boolean} */ own) => {
      const node = document.createElement("optgroup");
      node.label = label;
      node.append(...options.filter((_, i) => "own" in this.#choices[i].ask === own));
      return node;
    };
    const any = this.#choices.some(({ ask }) => "own" in ask);
    this.#select.replaceChildren(...(any ? [group(words.published, false), group(words.own, true)] : options));
    this.#select.selectedIndex = this.#current ? this.#choices.indexOf(this.#current) : 0;
    this.#select.disabled = this.#choices.length === 0;
    const own = this.#current !== null && "own" in this.#current.ask;
    this.#back.hidden = this.#forget.hidden = !own || "own" in this.#way.ask;
    if (own) this.#back.textContent = words.back(this.#way.name);
  }
}
