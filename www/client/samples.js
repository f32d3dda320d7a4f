/** The sample photographs and where they come from. */

import { element, make } from "./dom.js";

/** @typedef {{ file: string, name: string, alt: string, credit: string }} Sample */

const FOLDER = "samples/";

/**
 * Shows the photographs of samples/index.json; without that file the page goes on without them.
 *
 * @param {(name: string, fetched: Promise<Blob>) => void} choose
 */
export async function showSamples(choose) {
  const response = await fetch(`${FOLDER}index.json`).catch(() => null);
  /** @type {Sample[]} */
  const samples = response?.ok ? (await response.json().catch(() => null))?.samples ?? [] : [];
  if (samples.length === 0) return;

  element("sample-list", HTMLElement).replaceChildren(
    ...samples.map((sample) => {
      const image = document.createElement("img");
      image.src = FOLDER + sample.file;
      image.alt = sample.alt;
      image.width = image.height = 96;
      const button = document.createElement("button");
      button.type = "button";
      button.append(image, make("span", "", sample.name));
      button.addEventListener("click", () => choose(sample.name, fetchPicture(FOLDER + sample.file)));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
  element("sample-sources", HTMLElement).replaceChildren(...samples.map((s) => make("li", "", `${s.name}: ${s.credit}`)));
  element("samples", HTMLElement).hidden = false;
}

/** @param {string} address */
async function fetchPicture(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${response.status}`);
  return response.blob();
}
