/** The camera: started, changed, paused and released. */

import { CodedError } from "../shared/messages.js";

/** What browsers call the ways in which a camera does not start, and what we call them. */
const CODES = /** @type {Record<string, string>} */ ({
  NotAllowedError: "camera-refused",
  SecurityError: "camera-refused",
  NotFoundError: "camera-none",
  OverconstrainedError: "camera-none",
  NotReadableError: "camera-busy",
  AbortError: "camera-busy",
});

/** @typedef {"user" | "environment"} Facing */
/** @typedef {{ deviceId?: string, facing?: Facing }} Wish which camera: that one, or one that looks there */

export class Camera {
  #video;
  #events;
  /** @type {MediaStream | null} */
  #stream = null;
  /** Counts starts and stops, so that a slow start can see that it is no longer wanted. */
  #turn = 0;

  /**
   * @param {HTMLVideoElement} video shows the camera
   * @param {{ lost: () => void, silent: (silent: boolean) => void }} events a running camera went away, as when it is
   *   unplugged; or it sends no pictures for a while, as when another program or the system took them
   */
  constructor(video, events) {
    this.#video = video;
    this.#events = events;
  }

  get running() {
    return this.#stream !== null;
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }

  /** The running camera's device id, or an empty text. */
  get deviceId() {
    return this.#track?.getSettings().deviceId ?? "";
  }

  /** Where the running camera looks, where the browser says so: phones do, webcams do not. @returns {Facing | null} */
  get facing() {
    const facing = this.#track?.getSettings().facingMode;
    return facing === "user" || facing === "environment" ? facing : null;
  }

  /** Whether it looks at the person before the screen. Where the browser does not say, the camera's name may. */
  get facesUser() {
    return this.facing ? this.facing === "user" : /front|user|face/i.test(this.#track?.label ?? "");
  }

  /**
   * Starts a camera in place of the running one.
   *
   * @param {Wish} [wish] without one, a camera that looks away from the user
   * @returns {Promise<boolean>} whether it runs; false if stop() or another start came in between
   * @throws {CodedError} camera-refused, camera-none, camera-busy, camera-insecure or camera-unknown
   */
  async start({ deviceId, facing = "environment" } = {}) {
    this.stop();
    const turn = this.#turn;
    if (!navigator.mediaDevices?.getUserMedia) throw new CodedError("camera-insecure", "no camera interface");
    // The network looks at a few dozen pixels: a small picture is plenty, and quick to read.
    const size = { width: { ideal: 640 }, height: { ideal: 480 } };
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: facing } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...size, ...which } }).catch((error) => {
      throw new CodedError(CODES[error.name] ?? "camera-unknown", error.message);
    });
    if (turn !== this.#turn) {
      stream.getTracks().forEach((track) => track.stop());
      return false;
    }
    this.#stream = stream;
    this.#watch(stream);
    this.#video.srcObject = stream;
    // Refused only where the element is taken away again at once.
    await this.#video.play().catch(() => {});
    return turn === this.#turn;
  }

  /** @param {MediaStream} stream */
  #watch(stream) {
    const current = () => this.#stream === stream;
    this.#track?.addEventListener("ended", () => {
      if (!current()) return;
      this.stop();
      this.#events.lost();
    });
    for (const silent of [true, false]) {
      this.#track?.addEventListener(silent ? "mute" : "unmute", () => current() && this.#events.silent(silent));
    }
  }

  /** Releases the camera. */
  stop() {
    this.#turn++;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /**
   * Sends no pictures for a while, as when nobody looks at the page.
   *
   * @param {boolean} paused
   */
  pause(paused) {
    if (this.#track) this.#track.enabled = !paused;
    this.freeze(paused);
  }

  /**
   * Holds the picture that is shown; the camera stays on.
   *
   * @param {boolean} frozen
   */
  freeze(frozen) {
    if (!this.running) return;
    if (frozen) this.#video.pause();
    else this.#video.play().catch(() => {});
  }

  /** The cameras there are. Names and ids are empty until one of them was allowed. */
  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => null)) ?? [];
    return all.filter((device) => device.kind === "videoinput" && device.deviceId);
  }
}
