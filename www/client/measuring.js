/** Measuring in this browser: one thing at a time, without the camera's frames in between. */

import { benchmark as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").Progress} Progress */

/** Whether something is being measured. */
let busy = false;

/** Marks the buttons that measure. They are not disabled, which would take the keyboard's focus from them. */
function mark() {
  for (const button of document.querySelectorAll("[data-measures]")) button.setAttribute("aria-disabled", String(busy));
}

/**
 * Measures; does nothing while something else is being measured.
 *
 * @param {import("./source.js").Source} source
 * @param {HTMLButtonElement} button counts the runs: a status line would be read out at each of them
 * @param {(progress: (progress: Progress) => void) => Promise<void>} measure
 */
export async function measureAlone(source, button, measure) {
  if (busy) return;
  busy = true;
  mark();
  source.hold(true);
  const label = button.textContent;
  try {
    await measure(({ loaded, total }) => (button.textContent = words.running(loaded, total ?? 0)));
  } finally {
    button.textContent = label;
    source.hold(false);
    busy = false;
    mark();
  }
}
