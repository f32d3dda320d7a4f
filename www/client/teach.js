/** The panel in which the visitor teaches classes of their own. */

import { element } from "./dom.js";
import { teach as words } from "./strings.js";
import { Album } from "./teach/album.js";
import { archive } from "./teach/archive.js";
import { ClassCard } from "./teach/class-card.js";
import { taughtClasses } from "./teach/kept.js";
import { Viewfinder } from "./teach/viewfinder.js";
import { decodePicture } from "./pictures.js";
import { download } from "./tools.js";

/** @typedef {import("../shared/messages.js").CodedError} CodedError */
/** @typedef {import("../shared/messages.js").Prediction} Prediction */
/** @typedef {import("../shared/messages.js").Taught} Taught */
/** @typedef {import("../shared/messages.js").TaughtState} TaughtState */
/** @typedef {import("../shared/messages.js").TeachChange} TeachChange */
/** @typedef {{ name: string, live: boolean, ended: boolean, count: number }} Recording */

/** The name of a file of taught classes. */
const FILE = /\.taught$/i;

/** Time from one recorded picture to the next in milliseconds: neighbours are nearly the same, and the worker has answers to give. */
const EVERY_MS = 100;

/** @type {TaughtState} */
const NOTHING = { classes: [], canUndo: false, head: null, labels: [], threshold: 1, heldOut: null };

export class Teach {
  #bridge;
  #source;
  #view;
  #viewfinder;
  #box = element("teach", HTMLElement);
  #body = element("teach-body", HTMLElement);
  #note = element("teach-note", HTMLElement);
  #list = element("teach-classes", HTMLElement);
  #name = element("teach-name", HTMLInputElement);
  #status = element("teach-status", HTMLElement);
  #check = element("teach-check", HTMLElement);
  #undo = element("teach-undo", HTMLButtonElement);
  #save = element("teach-save", HTMLButtonElement);
  #export = element("teach-export", HTMLButtonElement);
  #forget = element("teach-forget", HTMLButtonElement);
  #album = new Album();
  /** @type {Map<string, ClassCard>} */
  #cards = new Map();
  #state = NOTHING;
  /** The model that is taught; its hash is null where the browser gives none. */
  #model = { name: "", sha256: /** @type {string | null} */ (null) };
  /** What is kept, for a worker that has to begin anew. @type {import("./teach/kept.js").KeptClasses | null} */
  #kept = null;
  /** @type {Recording | null} */
  #recording = null;
  /** One thing after the other. @type {Promise<unknown>} */
  #queue = Promise.resolve();

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {import("./source.js").Source} source
   * @param {import("./answer.js").AnswerView} view
   */
  constructor(bridge, source, view) {
    this.#bridge = bridge;
    this.#source = source;
    this.#view = view;
    this.#viewfinder = new Viewfinder(source);
    view.onTaught = (taught, headline) => {
      this.#viewfinder.say(headline);
      for (const [name, card] of this.#cards) card.showShare(taught?.find(({ label }) => label === name)?.probability ?? null);
    };
    element("teach-add", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#addClass(this.#name.value);
    });
    this.#undo.addEventListener("click", () => this.#change({ kind: "undo" }, words.undone));
    this.#save.addEventListener("click", () => this.#do(() => this.#saveFile()));
    this.#export.addEventListener("click", () => this.#do(() => this.#exportPictures()));
    this.#forget.addEventListener("click", () => {
      if (confirm(words.forgetSure)) this.#do(() => this.#forgetAll());
    });
    const [open, input] = [element("teach-open", HTMLButtonElement), element("teach-file", HTMLInputElement)];
    open.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      if (input.files?.[0]) this.openFile(input.files[0]);
      input.value = "";
    });
  }

  /** @param {File[]} files whether one of them holds taught classes */
  takes(files) {
    return files.some(({ name }) => FILE.test(name));
  }

  /**
   * Opens classes that were saved, in place of those that are there.
   *
   * @param {File} file
   */
  openFile(file) {
    this.#do(async () => {
      if (!FILE.test(file.name)) throw new Error(words.noFile(file.name));
      const bytes = new Uint8Array(await file.arrayBuffer());
      const taught = await this.#bridge.call("teachOpen", { file: bytes }).catch((error) => {
        throw new Error(words.refused(error.code, error.message, file.name, this.#model.name));
      });
      this.#album.clear();
      this.#show(taught);
      this.#say(words.opened(file.name, taught.state.classes));
      await this.#keep();
    });
  }

  /**
   * Another model is there, or the same in another worker: what was taught to it is taken up again.
   *
   * @param {import("../shared/messages.js").LoadedModel} loaded
   * @param {string} name
   */
  modelChanged({ kind, sha256 }, name) {
    this.#box.hidden = false;
    this.#body.hidden = kind === "plain";
    this.#note.textContent = kind === "plain" ? words.plain : words.intro;
    if (this.#recording) this.#recording.ended = true;
    this.#do(async () => {
      this.#show({ state: NOTHING, milliseconds: 0 });
      this.#album.clear();
      this.#status.textContent = "";
      if (kind === "plain") return;
      const same = this.#model.sha256 === sha256 && this.#model.name === name;
      this.#model = { name, sha256 };
      const kept = same && this.#kept ? this.#kept : sha256 ? await taughtClasses.get(sha256) : null;
      const open = (/** @type {Uint8Array | null} */ file) => this.#bridge.call("teachOpen", { file });
      // What an earlier release kept may not be readable any more: then it begins anew.
      const taught = await open(kept?.bytes ?? null).catch(() => open(null));
      const examples = taught.state.classes.flatMap((c) => c.examples);
      kept?.pictures.forEach((picture, i) => picture && i < examples.length && this.#album.add(examples[i], picture));
      this.#kept = kept;
      this.#show(taught);
    });
  }

  /**
   * Runs something behind all that was asked before; its error is said.
   *
   * @param {() => Promise<void>} act
   * @returns {Promise<boolean>} whether it went well
   */
  #do(act) {
    const done = this.#queue.then(act).then(
      () => true,
      (error) => {
        if (/** @type {CodedError} */ (error).code !== "cancelled") this.#say(words.failed(error.message));
        return false;
      },
    );
    this.#queue = done;
    return done;
  }

  /** @param {string} text in the region that is read out */
  #say(text) {
    this.#status.textContent = text;
  }

  /**
   * @param {TeachChange | (() => TeachChange)} change a function is asked when its turn comes
   * @param {string} [said] words for those who cannot see what changed
   */
  #change(change, said) {
    return this.#do(async () => {
      try {
        this.#show(await this.#bridge.call("teachChange", typeof change === "function" ? change() : change));
        if (said) this.#say(said);
        await this.#keep();
      } catch (error) {
        // What the visitor typed is not what is there.
        this.#showClasses();
        throw error;
      }
    });
  }

  /** @param {string} name */
  #indexOf(name) {
    const index = this.#state.classes.findIndex((c) => c.name === name);
    if (index < 0) throw new Error(words.gone(name));
    return index;
  }

  /** @param {string} name */
  async #addClass(name) {
    if (await this.#change({ kind: "add-class", name }, words.added(name.trim()))) this.#name.value = "";
  }

  /** @param {string} name */
  async #beginRecording(name) {
    if (this.#recording) return;
    if (this.#source.showing === "idle") {
      this.#say(words.noCamera);
      this.#source.startCamera();
      return;
    }
    /** @type {Recording} */
    const recording = { name, live: this.#source.moving, ended: false, count: 0 };
    this.#recording = recording;
    this.#say(words.recording(name));
    const well = await this.#do(() => this.#record(recording));
    this.#recording = null;
    this.#learn(well ? words.recorded(name, recording.count) : null);
  }

  /** @param {Recording} recording */
  async #record(recording) {
    do {
      const begin = performance.now();
      const picture = await this.#source.grab();
      if (!picture) return;
      await this.#addPicture(recording.name, picture, recording.count > 0);
      recording.count++;
      // A picture that does not change is recorded once.
      if (!recording.live) return;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - begin))));
    } while (!recording.ended);
  }

  /**
   * @param {string} name
   * @param {File[]} files
   */
  async #addFiles(name, files) {
    if (files.length === 0) return;
    this.#say(words.reading(files.length));
    let read = 0;
    const well = await this.#do(async () => {
      for (const file of files) {
        const picture = await decodePicture(file).catch(() => null);
        if (!picture) continue;
        await this.#addPicture(name, picture, read > 0);
        read++;
      }
    });
    this.#learn(well ? words.read(name, read, files.length - read) : null);
  }

  /**
   * @param {string} name
   * @param {ImageBitmap} picture is handed over
   * @param {boolean} joined
   */
  async #addPicture(name, picture, joined) {
    const index = this.#indexOf(name);
    const { example, jpeg } = await this.#bridge.call("teachPicture", { picture, index, joined }, { transfer: [picture] });
    this.#album.add(example, jpeg);
    this.#state.classes[index].examples.push(example);
    this.#showClasses();
  }

  /** @param {string | null} said before what came of it; null where something else was said that is to stay */
  #learn(said) {
    return this.#do(async () => {
      const taught = await this.#bridge.call("teachChange", { kind: "train" });
      this.#show(taught);
      if (said !== null) this.#say(`${said} ${words.learned(taught)}`);
      await this.#keep();
    });
  }

  /** @param {Taught} taught */
  #show(taught) {
    const { state } = taught;
    this.#state = state;
    this.#showClasses();
    this.#check.textContent = words.check(taught);
    const examples = state.classes.flatMap((c) => c.examples);
    this.#undo.disabled = !state.canUndo;
    this.#save.disabled = this.#forget.disabled = state.classes.length === 0;
    this.#export.disabled = !examples.some((example) => this.#album.picture(example));
    this.#view.setTaught(state.head ? { labels: state.labels, threshold: state.threshold } : null);
    // A picture, or a frame that is held, is looked at again; a camera goes on by itself.
    this.#source.modelChanged();
  }

  #showClasses() {
    const { classes } = this.#state;
    const cards = new Map(classes.map(({ name }) => [name, this.#cards.get(name) ?? this.#newCard()]));
    const nodes = [...cards.values()].map((card) => card.node);
    const same = nodes.length === this.#list.children.length && nodes.every((node, i) => node === this.#list.children[i]);
    if (!same) this.#list.replaceChildren(...nodes);
    this.#cards = cards;
    for (const { name, examples } of classes) cards.get(name)?.show(name, examples, (example) => this.#album.address(example));
  }

  #newCard() {
    /** @type {ClassCard} */
    const card = new ClassCard({
      rename: (to) =>
        this.#change(() => {
          const index = this.#indexOf(card.name);
          // The card stays the same, and the focus in it.
          if (!this.#cards.has(to.trim())) this.#cards.set(to.trim(), card);
          return { kind: "rename-class", index, name: to };
        }),
      beginRecording: () => this.#beginRecording(card.name),
      endRecording: () => {
        if (this.#recording) this.#recording.ended = true;
      },
      addFiles: (files) => this.#addFiles(card.name, files),
      removePicture: (example) => this.#change({ kind: "remove", example }, words.removed),
      remove: () => {
        const { name } = card;
        this.#change(() => ({ kind: "remove-class", index: this.#indexOf(name) }), words.removedClass(name));
        // The button that was pressed is gone.
        this.#name.focus();
      },
    });
    return card;
  }

  /** Keeps all in this browser, or nothing where there is nothing. */
  async #keep() {
    const { sha256 } = this.#model;
    const { classes } = this.#state;
    if (classes.length === 0) {
      this.#kept = null;
      if (sha256) await taughtClasses.forget(sha256);
      return;
    }
    const { bytes } = await this.#bridge.call("teachSave", {});
    const pictures = classes.flatMap((c) => c.examples).map((example) => this.#album.picture(example));
    this.#kept = { sha256: sha256 ?? "", bytes, pictures };
    if (sha256) await taughtClasses.keep(this.#kept);
  }

  async #saveFile() {
    const { bytes } = await this.#bridge.call("teachSave", {});
    download(new Blob([bytes]), "my-classes.taught");
    this.#say(words.saved);
  }

  async #exportPictures() {
    const classes = this.#state.classes.map(({ name, examples }) => ({
      name,
      pictures: examples.map((example) => this.#album.picture(example)).filter((picture) => picture !== null),
    }));
    const all = this.#state.classes.reduce((sum, { examples }) => sum + examples.length, 0);
    const here = classes.reduce((sum, { pictures }) => sum + pictures.length, 0);
    download(await archive(classes), "pictures.zip");
    this.#say(words.exported(here, all));
  }

  async #forgetAll() {
    this.#show(await this.#bridge.call("teachOpen", { file: null }));
    this.#album.clear();
    this.#say(words.forgotten);
    await this.#keep();
  }
}
