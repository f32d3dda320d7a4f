/** What is looked at: the camera or one picture. */

import { ASKED } from "./answer.js";
import { Live } from "./live.js";
import { decodePicture } from "./pictures.js";
import { Stage } from "./stage.js";
import { answer as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").CodedError} CodedError */

export class Source {
  #bridge;
  #view;
  #notice;
  #stage = new Stage();
  #live;
  /** The picture that is shown, to be classified again by another model. @type {Blob | null} */
  #picture = null;
  #ready = false;
  #frozen = false;
  #held = false;
  /** Ends everything that is about the last camera or picture. */
  #abort = new AbortController();
  /** Called whenever something else is looked at. */
  onChange = () => {};
  /** Called with the stream of the camera while it moves, for others who show it, and whether it is mirrored. */
  onStream = (/** @type {MediaStream | null} */ _stream, /** @type {boolean} */ _mirrored) => {};

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {import("./answer.js").AnswerView} view
   * @param {import("./notice.js").Notice} notice
   */
  constructor(bridge, view, notice) {
    this.#bridge = bridge;
    this.#view = view;
    this.#notice = notice;
    this.#stage.onChange = () => this.onChange();
    this.#stage.onStream = () => this.#showStream();
    this.#live = new Live(this.#stage, notice, {
      begin: () => this.#begin(),
      use: async (frame, signal) => {
        if (this.#frozen || this.#held) return frame.close();
        await this.#classify(frame, signal, false);
      },
    });
  }

  /** What is on the stage. @returns {"idle" | "live" | "still"} */
  get showing() {
    return this.#stage.state;
  }

  /** Whether a camera is on the stage that is not held. */
  get moving() {
    return this.showing === "live" && !this.#frozen;
  }

  startIfAllowed() {
    return this.#live.startIfAllowed();
  }

  startCamera() {
    return this.#live.start();
  }

  #showStream() {
    const stream = this.moving && this.#stage.video.srcObject;
    this.onStream(stream instanceof MediaStream ? stream : null, this.mirrored);
  }

  /**
   * Shows and classifies one picture in place of the camera.
   *
   * @param {string} name
   * @param {Promise<Blob>} fetched
   * @param {string} [missing] said where it cannot be fetched
   */
  async openPicture(name, fetched, missing = "") {
    const blob = await fetched.catch(() => null);
    const picture = blob && (await decodePicture(blob).catch(() => null));
    if (!picture) {
      // What was shown before stays.
      this.#notice.show("picture", blob ? words.unreadable(name) : missing);
      return;
    }
    const signal = this.#begin();
    this.#notice.clear("camera");
    this.#picture = blob;
    this.#stage.showPicture(blob, name, picture);
    await this.#classifyOnce(picture, signal);
  }

  /** Another model is there: a picture is looked at again, a camera goes on by itself. */
  async modelChanged() {
    this.#ready = true;
    const { signal } = this.#abort;
    if (this.#picture || this.#frozen) {
      const picture = await this.grab();
      if (picture) await this.#classifyOnce(picture, signal);
    }
  }

  /**
   * Holds the camera's picture, and says what this very picture is; or goes on.
   *
   * @param {boolean} on
   */
  async freeze(on) {
    if (!this.#live.running) return;
    this.#frozen = on;
    this.#live.freeze(on);
    this.#showStream();
    if (!on) return this.#view.clear();
    const { signal } = this.#abort;
    const picture = await this.grab();
    if (picture) await this.#classifyOnce(picture, signal);
  }

  /**
   * Classifies nothing for a while, as when the worker is being measured.
   *
   * @param {boolean} on
   */
  hold(on) {
    this.#held = on;
  }

  /** The picture that is shown now, as the network would get it; null where there is none. */
  async grab() {
    if (this.#picture) return decodePicture(this.#picture).catch(() => null);
    if (!this.#live.running) return null;
    return createImageBitmap(this.#stage.video, { colorSpaceConversion: "none" }).catch(() => null);
  }

  /** Whether what is shown is turned left to right. */
  get mirrored() {
    return this.#stage.mirrored;
  }

  /** Ends what was looked at. */
  #begin() {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#frozen = false;
    this.#live.release();
    this.#picture = null;
    this.#notice.clear("picture");
    this.#view.clear();
    return this.#abort.signal;
  }

  /**
   * @param {ImageBitmap} picture
   * @param {AbortSignal} signal
   */
  async #classifyOnce(picture, signal) {
    try {
      await this.#classify(picture, signal, true);
    } catch (error) {
      const { code, message } = /** @type {CodedError} */ (error);
      if (code !== "cancelled") this.#notice.show("picture", words.failed(message));
    }
  }

  /**
   * @param {ImageBitmap} picture is handed over
   * @param {AbortSignal} signal
   * @param {boolean} final
   */
  async #classify(picture, signal, final) {
    if (!this.#ready) return picture.close();
    const begin = performance.now();
    const ask = { picture, topK: ASKED, withInput: true };
    const answer = await this.#bridge.call("classify", ask, { transfer: [picture], signal });
    // A frame that was on its way when the picture was frozen comes too late.
    if (!signal.aborted && (final || !this.#frozen)) this.#view.show(answer, performance.now() - begin, final);
  }
}
