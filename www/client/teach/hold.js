/** A button that does something for as long as it is held: by mouse, finger, pen, or a key. */

/**
 * A click that was no hold, as from a screen reader or a voice, is one that begins and ends at once.
 *
 * @param {HTMLButtonElement} button
 * @param {{ begin: () => void, end: () => void }} events
 */
export function onHold(button, { begin, end }) {
  let held = false;
  let clickIsOurs = false;

  const press = () => {
    if (held || button.disabled) return;
    held = clickIsOurs = true;
    button.toggleAttribute("data-held", true);
    begin();
  };
  const release = () => {
    if (!held) return;
    held = false;
    button.toggleAttribute("data-held", false);
    end();
  };

  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    // So that letting go outside, even of the window, is heard here.
    button.setPointerCapture(event.pointerId);
    press();
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) button.addEventListener(type, release);
  // A long press on a phone would ask what to do with the button.
  button.addEventListener("contextmenu", (event) => event.preventDefault());

  const isHoldKey = (/** @type {KeyboardEvent} */ { key }) => key === " " || key === "Enter";
  button.addEventListener("keydown", (event) => {
    if (!isHoldKey(event)) return;
    // Else the page scrolls, or a click follows.
    event.preventDefault();
    if (!event.repeat) press();
  });
  window.addEventListener("keyup", (event) => {
    if (held && isHoldKey(event)) release();
  });
  window.addEventListener("blur", release);
  document.addEventListener("visibilitychange", release);

  button.addEventListener("click", () => {
    if (!clickIsOurs) {
      press();
      release();
    }
    clickIsOurs = false;
  });
}
