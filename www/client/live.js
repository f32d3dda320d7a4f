/** The camera as the visitor steers it: start and stop, which one, and coming back after it went away. */

import { Camera } from "./camera.js";
import { element } from "./dom.js";
import { eachFrame } from "./frames.js";
import { watchCameraPermission } from "./permission.js";
import { camera as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").CodedError} CodedError */
/** @typedef {import("./camera.js").Wish} Wish */
/**
 * @typedef {object} Owner
 * @property {() => AbortSignal} begin ends what was looked at before; the signal ends the camera
 * @property {(frame: ImageBitmap, signal: AbortSignal) => Promise<void>} use
 */

/** Failures after which a camera may come back by itself. */
const MAY_RETURN = ["camera-none", "camera-busy", "camera-lost", "camera-unknown"];

/** How often a camera that another program holds is asked for again, in milliseconds: no event says that it is free. */
const BUSY_RETRY_MS = 3000;

export class Live {
  #stage;
  #notice;
  #owner;
  #camera;
  #start = element("start", HTMLButtonElement);
  #stop = element("stop", HTMLButtonElement);
  #flip = element("flip", HTMLButtonElement);
  #device = element("device", HTMLSelectElement);
  #deviceChoice = element("device-choice", HTMLElement);
  /** What was asked for last; null once the visitor stopped it or looks at a picture. @type {Wish | null} */
  #wish = null;
  /** Why the wanted camera does not run. */
  #failure = "";
  /** Whether the permission was taken back since it started: the browser then ends it as if it were unplugged. */
  #revoked = false;
  #starting = false;
  #frozen = false;

  /**
   * @param {import("./stage.js").Stage} stage
   * @param {import("./notice.js").Notice} notice
   * @param {Owner} owner
   */
  constructor(stage, notice, owner) {
    this.#stage = stage;
    this.#notice = notice;
    this.#owner = owner;
    this.#camera = new Camera(stage.video, {
      lost: () => this.#fail(this.#revoked ? "camera-revoked" : "camera-lost"),
      silent: (silent) => (silent ? notice.show("camera", words.silent) : notice.clear("camera")),
    });
    this.#start.addEventListener("click", () => this.start());
    this.#stop.addEventListener("click", () => {
      this.#owner.begin();
      this.#stage.showNothing();
      // Only where the visitor pressed the button, which is gone now.
      this.#start.focus();
    });
    this.#flip.addEventListener("click", () => this.start({ facing: this.#camera.facing === "user" ? "environment" : "user" }));
    this.#device.addEventListener("change", () => this.start({ deviceId: this.#device.value }));
    navigator.mediaDevices?.addEventListener("devicechange", () => {
      this.#showDevices();
      this.#comeBack(MAY_RETURN);
    });
    document.addEventListener("visibilitychange", () => {
      this.#camera.pause(document.hidden || this.#frozen);
      this.#comeBack(["camera-busy"]);
    });
    setInterval(() => this.#comeBack(["camera-busy"]), BUSY_RETRY_MS);
    this.#leaveAndReturn();
  }

  get running() {
    return this.#camera.running;
  }

  /** Leaving, also into the browser's cache of pages: the camera's light goes out. Coming back, it goes on again. */
  #leaveAndReturn() {
    /** @type {Wish | null} */
    let left = null;
    window.addEventListener("pagehide", () => {
      left = this.#camera.running ? this.#wish : null;
      if (!left) return;
      this.#owner.begin();
      this.#stage.showNothing();
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted && left) this.start(left);
    });
  }

  /** Starts the camera without being asked where the visitor allowed it before, and follows the permission. */
  async startIfAllowed() {
    const state = await watchCameraPermission((state) => {
      this.#revoked = state !== "granted";
      if (state === "granted") this.#comeBack(["camera-refused", "camera-revoked"]);
      else if (state === "denied" && this.#camera.running) this.#fail("camera-revoked");
    });
    if (state === "granted" && (await this.#camera.devices()).length > 0) await this.start();
  }

  /** @param {Wish} [wish] */
  async start(wish = {}) {
    const signal = this.#owner.begin();
    this.#wish = wish;
    this.#starting = this.#start.disabled = true;
    try {
      if (!(await this.#camera.start(wish))) return;
      this.#failure = "";
      this.#revoked = false;
      this.#notice.clear("camera");
      this.#stage.showCamera();
      this.#stage.mirror(this.#camera.facesUser);
      this.#camera.pause(document.hidden);
      this.#showControls();
      await this.#showDevices();
      eachFrame(this.#stage.video, signal, (frame) => this.#owner.use(frame, signal));
    } catch (error) {
      if (!signal.aborted) this.#fail(/** @type {CodedError} */ (error).code);
    } finally {
      this.#starting = this.#start.disabled = false;
    }
  }

  /** Releases the camera; it does not come back by itself. */
  release() {
    this.#wish = null;
    this.#failure = "";
    this.#frozen = false;
    this.#camera.stop();
    this.#showControls();
  }

  /**
   * Holds the frame that is shown, or goes on.
   *
   * @param {boolean} on
   */
  freeze(on) {
    this.#frozen = on;
    this.#camera.freeze(on || document.hidden);
  }

  /** @param {string} code */
  #fail(code) {
    const wish = this.#wish ?? {};
    this.#owner.begin();
    this.#wish = wish;
    this.#failure = code;
    this.#stage.showNothing();
    const sentence = words.errors[code] ?? words.errors["camera-unknown"];
    this.#notice.show("camera", sentence, { label: words.retry, act: () => this.start() });
  }

  /** @param {string[]} failures starts the camera again if one of these ended it */
  #comeBack(failures) {
    if (!this.#wish || this.#starting || this.#camera.running || document.hidden || !failures.includes(this.#failure)) return;
    // Any camera will do: the one that is back may have another id.
    this.start(this.#failure === "camera-lost" ? {} : this.#wish);
  }

  #showControls() {
    const { running } = this.#camera;
    this.#stop.hidden = !running;
    if (!running) this.#deviceChoice.hidden = this.#flip.hidden = true;
  }

  async #showDevices() {
    if (!this.#camera.running) return;
    const devices = await this.#camera.devices();
    if (!this.#camera.running) return;
    const options = devices.map((device, i) => new Option(device.label || words.unnamed(i + 1), device.deviceId));
    this.#device.replaceChildren(...options);
    this.#device.value = this.#camera.deviceId;
    this.#deviceChoice.hidden = devices.length < 2;
    this.#flip.hidden = devices.length < 2 || !this.#camera.facing;
    this.#flip.textContent = this.#camera.facing === "user" ? words.toRear : words.toFront;
  }
}
