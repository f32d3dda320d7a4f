/** What the camera shows, small, beside the buttons that record it: the stage may be out of sight. */

import { element } from "../dom.js";
import { teach as words } from "../strings.js";

/** @typedef {import("../../shared/messages.js").Prediction} Prediction */

export class Viewfinder {
  #box = element("teach-view", HTMLElement);
  #video = element("teach-video", HTMLVideoElement);
  #words = element("teach-now", HTMLElement);

  /** @param {import("../source.js").Source} source */
  constructor(source) {
    source.onStream = (stream, mirrored) => {
      if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
      this.#video.toggleAttribute("data-mirrored", mirrored);
      this.#box.hidden = !stream;
      // Refused only where the element is hidden again at once.
      if (stream) this.#video.play().catch(() => {});
    };
  }

  /** @param {{ top: Prediction, unsure: boolean } | null} headline */
  say(headline) {
    this.#words.textContent = headline ? words.now(headline.top.label, headline.top.probability, headline.unsure) : "";
  }
}
