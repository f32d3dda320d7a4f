/** The network layer by layer: bits, bytes and multiply-adds. */

import { element, make } from "./dom.js";
import { layers as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").Layer} Layer */

/** @param {Layer[]} all none hides the view */
export function showLayers(all) {
  // Norms have neither weights nor multiply-adds: they are folded into the scales of the layers before them.
  const shown = all.filter(({ kind }) => kind !== "norm");
  element("layers-box", HTMLElement).hidden = shown.length === 0;
  const most = Math.max(1, ...shown.map((layer) => layer.multiplyAdds));
  element("layers-head", HTMLElement).replaceChildren(...words.columns.map((name) => heading(name, "col")));
  element("layers", HTMLElement).replaceChildren(...shown.map((layer) => rowOf(layer, most)), totals(shown));
}

/**
 * @param {Layer} layer
 * @param {number} most multiply-adds of the largest layer
 */
function rowOf(layer, most) {
  const row = document.createElement("tr");
  const work = make("td", "work", words.count(layer.multiplyAdds));
  work.style.setProperty("--share", String(layer.multiplyAdds / most));
  row.append(
    heading(layer.name, "row"),
    make("td", "", words.kinds[layer.kind] ?? layer.kind),
    make("td", "", `${layer.input} → ${layer.output}`),
    make("td", "", layer.sideIn === layer.sideOut ? `${layer.sideIn}` : `${layer.sideIn} → ${layer.sideOut}`),
    make("td", "", layer.weights === 0 ? "–" : words.bits(layer.bits)),
    make("td", "", layer.weights === 0 ? "–" : words.count(layer.weightsBytes)),
    work,
  );
  return row;
}

/** @param {Layer[]} all */
function totals(all) {
  const row = make("tr", "total");
  const sum = (/** @type {(layer: Layer) => number} */ of) => words.count(all.reduce((total, layer) => total + of(layer), 0));
  const empty = () => make("td", "");
  row.append(heading(words.total, "row"), empty(), empty(), empty(), empty());
  row.append(make("td", "", sum((l) => l.weightsBytes)), make("td", "", sum((l) => l.multiplyAdds)));
  return row;
}

/**
 * @param {string} text
 * @param {"row" | "col"} scope
 */
function heading(text, scope) {
  const node = /** @type {HTMLTableCellElement} */ (make("th", "", text));
  node.scope = scope;
  return node;
}
