/** One class as the visitor sees it: its name, its pictures, and how likely it is at the moment. */

import { make } from "../dom.js";
import { teach as words } from "../strings.js";
import { onHold } from "./hold.js";

/** Pictures shown of each class, the newest first: an overview, not a gallery. */
const SHOWN = 8;

/**
 * @typedef {object} Acts what the visitor asks for
 * @property {(name: string) => void} rename
 * @property {() => void} beginRecording
 * @property {() => void} endRecording
 * @property {(files: File[]) => void} addFiles
 * @property {(example: number) => void} removePicture
 * @property {() => void} remove
 */

export class ClassCard {
  #name = /** @type {HTMLInputElement} */ (make("input", "class-name"));
  #count = make("span", "class-count");
  #share = make("span", "bar-fill");
  #value = make("span", "bar-value");
  #record = button("primary class-record", words.record);
  #choose = button("quiet", words.choose);
  #remove = button("quiet", words.removeClass);
  #files = /** @type {HTMLInputElement} */ (make("input", ""));
  #pictures = make("ul", "class-pictures");
  #acts;
  #known = "";
  /** Of the class, as it was shown last. */
  name = "";
  node = make("li", "class-card");

  /** @param {Acts} acts */
  constructor(acts) {
    this.#acts = acts;
    this.#name.maxLength = 60;
    this.#name.addEventListener("change", () => acts.rename(this.#name.value));
    this.#name.setAttribute("aria-label", words.nameOfClass);
    onHold(this.#record, { begin: acts.beginRecording, end: acts.endRecording });
    Object.assign(this.#files, { type: "file", accept: "image/*", multiple: true, hidden: true });
    this.#choose.addEventListener("click", () => this.#files.click());
    this.#files.addEventListener("change", () => {
      acts.addFiles([...(this.#files.files ?? [])]);
      this.#files.value = "";
    });
    this.#remove.addEventListener("click", acts.remove);
    this.#pictures.addEventListener("keydown", (event) => this.#move(event));
    this.#takeDrops();

    const head = make("div", "class-head");
    head.append(this.#name, this.#count);
    const live = make("div", "class-live");
    const track = make("span", "bar-track");
    track.append(this.#share);
    live.append(track, this.#value);
    // What it shows is said by the answer above, at a rate that can be listened to.
    live.setAttribute("aria-hidden", "true");
    const controls = make("div", "controls");
    controls.append(this.#record, this.#choose, this.#files, this.#remove);
    this.node.append(head, live, controls, this.#pictures);
  }

  /**
   * @param {string} name
   * @param {number[]} examples
   * @param {(example: number) => string | null} address of the picture, where it is kept
   */
  show(name, examples, address) {
    this.name = this.#name.value = name;
    this.#count.textContent = words.pictures(examples.length);
    this.#record.setAttribute("aria-label", words.recordClass(name));
    this.#choose.setAttribute("aria-label", words.chooseFor(name));
    this.#files.setAttribute("aria-label", words.chooseFor(name));
    this.#remove.setAttribute("aria-label", words.removeClassCalled(name));
    this.#pictures.setAttribute("aria-label", words.picturesOf(name));
    // Thumbnails that stay are not made anew at every picture: focus and images stay with them.
    const known = `${name} ${examples.join()}`;
    if (known === this.#known) return;
    this.#known = known;
    const at = [...this.#pictures.querySelectorAll("button")].findIndex((node) => node === document.activeElement);
    const shown = examples.map((example, i) => ({ example, number: i + 1 })).slice(-SHOWN).reverse();
    const items = shown.map(({ example, number }) => this.#thumbnail(example, number, name, address(example)));
    if (examples.length > SHOWN) items.push(make("li", "class-more", words.more(examples.length - SHOWN)));
    this.#pictures.replaceChildren(...items);
    const buttons = this.#pictures.querySelectorAll("button");
    if (buttons[0]) buttons[0].tabIndex = 0;
    if (at >= 0) (buttons[Math.min(at, buttons.length - 1)] ?? this.#name).focus();
  }

  /** @param {number | null} probability null where the class is not trained or nothing is looked at */
  showShare(probability) {
    this.#share.style.setProperty("--share", String(probability ?? 0));
    this.#value.textContent = probability === null ? "" : `${Math.round(100 * probability)} %`;
  }

  /**
   * @param {number} example
   * @param {number} number counted from 1
   * @param {string} name
   * @param {string | null} address
   */
  #thumbnail(example, number, name, address) {
    const node = button("thumbnail", "");
    node.setAttribute("aria-label", words.removePicture(number, name));
    node.title = words.removePicture(number, name);
    // One stop for the Tab key; arrows go on from there.
    node.tabIndex = -1;
    if (address) {
      const image = document.createElement("img");
      image.src = address;
      image.alt = "";
      node.append(image);
    }
    node.addEventListener("click", () => this.#acts.removePicture(example));
    const item = make("li", "");
    item.append(node);
    return item;
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const all = [...this.#pictures.querySelectorAll("button")];
    const at = all.findIndex((node) => node === event.target);
    const next = step && all[at + step];
    if (!next) return;
    event.preventDefault();
    all[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  #takeDrops() {
    const mark = (/** @type {boolean} */ on) => this.node.toggleAttribute("data-over", on);
    this.node.addEventListener("dragover", () => mark(true));
    this.node.addEventListener("dragleave", () => mark(false));
    this.node.addEventListener("drop", (event) => {
      mark(false);
      const files = [...(event.dataTransfer?.files ?? [])].filter(({ type, name }) => type.startsWith("image/") || /\.(jpe?g|png|webp|gif|avif|bmp)$/i.test(name));
      if (files.length === 0) return;
      // Taken: it is not opened by the page as well.
      event.preventDefault();
      this.#acts.addFiles(files);
    });
  }
}

/**
 * @param {string} className
 * @param {string} text
 */
function button(className, text) {
  const node = /** @type {HTMLButtonElement} */ (make("button", className, text));
  node.type = "button";
  return node;
}
