/** What is looked at: the camera or one picture. */

import { ASKED } from "./answer.js";
import { Camera } from "./camera.js";
import { element } from "./dom.js";
import { eachFrame } from "./frames.js";
import { decodePicture } from "./pictures.js";
import { Stage } from "./stage.js";
import { answer as words, camera as cameraWords } from "./strings.js";

/** @typedef {import("../shared/messages.js").CodedError} CodedError */

export class Source {
  #bridge;
  #view;
  #notice;
  #stage = new Stage();
  #camera = new Camera(this.#stage.video, () => this.#cameraLost());
  #start = element("start", HTMLButtonElement);
  #stop = element("stop", HTMLButtonElement);
  #device = element("device", HTMLSelectElement);
  #deviceChoice = element("device-choice", HTMLElement);
  /** The picture that is shown, to be classified again by another model. @type {Blob | null} */
  #picture = null;
  #ready = false;
  /** Ends everything that is about the last camera or picture. */
  #abort = new AbortController();

  /**
   * @param {import("./bridge.js").Bridge} bridge
   * @param {import("./answer.js").AnswerView} view
   * @param {import("./notice.js").Notice} notice
   */
  constructor(bridge, view, notice) {
    this.#bridge = bridge;
    this.#view = view;
    this.#notice = notice;
    this.#start.addEventListener("click", () => this.startCamera());
    this.#stop.addEventListener("click", () => this.stopCamera());
    this.#device.addEventListener("change", () => this.startCamera(this.#device.value));
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#showDevices());
    document.addEventListener("visibilitychange", () => this.#camera.pause(document.hidden));
    // Leaving, also into the browser's cache of pages: the camera's light goes out.
    window.addEventListener("pagehide", () => {
      if (this.#camera.running) this.stopCamera();
    });
  }

  /** Starts the camera without being asked where the visitor allowed it before. */
  async startIfAllowed() {
    const name = /** @type {PermissionName} */ ("camera");
    // Firefox does not know this name of a permission, and then the button is the way.
    const permission = await navigator.permissions?.query({ name }).catch(() => null);
    if (permission?.state === "granted" && (await this.#camera.devices()).length > 0) await this.startCamera();
  }

  /** @param {string} [deviceId] */
  async startCamera(deviceId) {
    const signal = this.#begin();
    this.#start.disabled = true;
    try {
      if (!(await this.#camera.start(deviceId))) return;
      this.#notice.clear("camera");
      this.#stage.showCamera();
      this.#stage.mirror(this.#camera.facesUser);
      this.#camera.pause(document.hidden);
      this.#showControls();
      await this.#showDevices();
      eachFrame(this.#stage.video, signal, (frame) => this.#classify(frame, signal, false));
    } catch (error) {
      if (signal.aborted) return;
      this.#stage.showNothing();
      this.#showControls();
      const { code } = /** @type {CodedError} */ (error);
      const sentence = cameraWords.errors[code] ?? cameraWords.errors["camera-unknown"];
      this.#notice.show("camera", sentence, { label: cameraWords.retry, act: () => this.startCamera() });
    } finally {
      this.#start.disabled = false;
    }
  }

  stopCamera() {
    this.#begin();
    this.#stage.showNothing();
    this.#showControls();
  }

  #cameraLost() {
    this.stopCamera();
    this.#notice.show("camera", cameraWords.lost, { label: cameraWords.retry, act: () => this.startCamera() });
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
    this.#showControls();
    await this.#classifyPicture(picture, signal);
  }

  /** Another model is there: a picture is looked at again, a camera goes on by itself. */
  async modelChanged() {
    this.#ready = true;
    if (!this.#picture) return;
    const { signal } = this.#abort;
    const picture = await decodePicture(this.#picture).catch(() => null);
    if (picture) await this.#classifyPicture(picture, signal);
  }

  /** Ends what was looked at. */
  #begin() {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#camera.stop();
    this.#picture = null;
    this.#notice.clear("picture");
    this.#view.clear();
    return this.#abort.signal;
  }

  /**
   * @param {ImageBitmap} picture
   * @param {AbortSignal} signal
   */
  async #classifyPicture(picture, signal) {
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
    if (!signal.aborted) this.#view.show(answer, performance.now() - begin, final);
  }

  #showControls() {
    this.#stop.hidden = !this.#camera.running;
    if (!this.#camera.running) this.#deviceChoice.hidden = true;
  }

  async #showDevices() {
    if (!this.#camera.running) return;
    const devices = await this.#camera.devices();
    const options = devices.map((device, i) => new Option(device.label || cameraWords.unnamed(i + 1), device.deviceId));
    this.#device.replaceChildren(...options);
    this.#device.value = this.#camera.deviceId;
    this.#deviceChoice.hidden = devices.length < 2;
  }
}
