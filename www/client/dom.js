/** Finding and filling the elements of index.html. */

import { texts } from "./strings.js";

/**
 * The element of that id, of that class.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
  return found;
}

/** Puts the words of strings.js where index.html names them. */
export function fillTexts() {
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = texts[node.getAttribute("data-text") ?? ""];
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", texts[node.getAttribute("data-label") ?? ""]);
  }
}

/**
 * A new element with a class and a text.
 *
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
export function make(tag, className, text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}
