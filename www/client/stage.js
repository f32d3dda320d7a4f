/** The stage: camera or picture, and the square of it that the network sees. */

import { element } from "./dom.js";

export class Stage {
  #stage = element("stage", HTMLElement);
  #frame = element("frame", HTMLElement);
  #still = element("still", HTMLImageElement);
  #mirror = element("mirror", HTMLButtonElement);
  video = element("video", HTMLVideoElement);
  /** Called whenever something else is shown. */
  onChange = () => {};
  /** Called whenever the camera's stream, or whether it is mirrored, may be another. */
  onStream = () => {};

  constructor() {
    // A phone that is turned changes the shape of its pictures.
    this.video.addEventListener("resize", () => this.#shape(this.video.videoWidth, this.video.videoHeight));
    this.#mirror.addEventListener("click", () => this.mirror(this.#mirror.getAttribute("aria-pressed") !== "true"));
  }

  /** @returns {"idle" | "live" | "still"} */
  get state() {
    return /** @type {any} */ (this.#stage.dataset.state);
  }

  get mirrored() {
    return this.state === "live" && this.#stage.hasAttribute("data-mirrored");
  }

  /** @param {"idle" | "live" | "still"} state */
  #show(state) {
    this.#stage.dataset.state = state;
    this.#mirror.hidden = state !== "live";
    if (state !== "still") {
      URL.revokeObjectURL(this.#still.src);
      this.#still.removeAttribute("src");
      this.#still.alt = "";
    }
    this.onChange();
    this.onStream();
  }

  showNothing() {
    this.#show("idle");
  }

  showCamera() {
    this.#show("live");
    this.#shape(this.video.videoWidth, this.video.videoHeight);
  }

  /**
   * @param {Blob} picture
   * @param {string} name
   * @param {{ width: number, height: number }} size in pixels
   */
  showPicture(picture, name, { width, height }) {
    this.#show("idle");
    this.#still.src = URL.createObjectURL(picture);
    this.#still.alt = name;
    this.#show("still");
    this.#shape(width, height);
  }

  /**
   * Turns what is shown left to right; the network always sees the picture as it is.
   *
   * @param {boolean} on
   */
  mirror(on) {
    this.#mirror.setAttribute("aria-pressed", String(on));
    this.#stage.toggleAttribute("data-mirrored", on);
    this.onStream();
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #shape(width, height) {
    if (width && height) this.#frame.style.setProperty("--shape", String(width / height));
    this.#frame.toggleAttribute("data-tall", height > width);
    // A picture in portrait gets a higher stage: else it would be a narrow strip.
    this.#stage.toggleAttribute("data-tall", height > width);
  }
}
