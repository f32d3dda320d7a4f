/** The network layer by layer: bits, bytes, multiply-adds, what computes it, and how long that takes. */

import { element, make } from "./dom.js";
import { stepsOf } from "./steps.js";
import { layers as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").Layer} Layer */
/** @typedef {import("../shared/messages.js").PlannedLayer} PlannedLayer */
/** @typedef {{ times: number[], all: number } | null} Timed of every step of the plan, and together */

/**
 * @param {Layer[]} all none hides the view
 * @param {PlannedLayer[]} plan
 * @param {number[]} [times] milliseconds of every step of the plan, where they were measured
 */
export function showLayers(all, plan, times) {
  // Norms have neither weights nor multiply-adds: they are folded into the scales of the layers before them.
  const shown = all.filter(({ kind }) => kind !== "norm");
  element("layers-box", HTMLElement).hidden = shown.length === 0;
  const timed = times ? { times, all: times.reduce((sum, time) => sum + time, 0) } : null;
  const columns = [...words.columns, ...(timed ? words.timeColumns : [])];
  element("layers-head", HTMLElement).replaceChildren(...columns.map((name) => heading(name, "col")));
  const rows = [...rowsOf(shown, plan, timed), totals(shown, timed)];
  element("layers", HTMLElement).replaceChildren(...rows);
}

/**
 * A row for every layer; and for every step that is none of them, such as the pooling, behind the step before it.
 *
 * @param {Layer[]} layers
 * @param {PlannedLayer[]} plan
 * @param {Timed} timed
 */
function rowsOf(layers, plan, timed) {
  const most = Math.max(1, ...layers.map((layer) => layer.multiplyAdds));
  const steps = stepsOf(layers, plan);
  const rows = layers.map((layer) => {
    const step = steps.get(layer.name);
    const computed = layer.kind === "shift" ? words.withNext : words.kernel(plan[step ?? -1]?.kernel);
    const row = rowOf(layer, most, computed);
    if (timed) row.append(...timeCells(step, timed));
    return { step, row };
  });
  plan.forEach(({ name, operator, kernel }, step) => {
    if (kernel === null || rows.some((row) => row.step === step)) return;
    const row = document.createElement("tr");
    const empty = () => make("td", "", words.none);
    row.append(heading(name, "row"), make("td", "", operator), empty(), empty(), empty(), empty(), empty(), make("td", "", words.kernel(kernel)));
    if (timed) row.append(...timeCells(step, timed));
    const before = rows.findIndex((row) => row.step === step - 1);
    rows.splice(before < 0 ? rows.length : before + 1, 0, { step, row });
  });
  return rows.map(({ row }) => row);
}

/**
 * @param {Layer} layer
 * @param {number} most multiply-adds of the largest layer
 * @param {string} computed what computes it
 */
function rowOf(layer, most, computed) {
  const row = document.createElement("tr");
  row.append(
    heading(layer.name, "row"),
    make("td", "", words.kinds[layer.kind] ?? layer.kind),
    make("td", "", `${layer.input} → ${layer.output}`),
    make("td", "", layer.sideIn === layer.sideOut ? `${layer.sideIn}` : `${layer.sideIn} → ${layer.sideOut}`),
    make("td", "", layer.weights === 0 ? words.none : words.bits(layer.bits)),
    make("td", "", layer.weights === 0 ? words.none : words.count(layer.weightsBytes)),
    shared(words.count(layer.multiplyAdds), layer.multiplyAdds / most),
    make("td", "", computed),
  );
  return row;
}

/**
 * @param {number | undefined} step none where the layer is computed with another
 * @param {NonNullable<Timed>} timed
 */
function timeCells(step, { times, all }) {
  if (step === undefined) return [make("td", "", words.none), make("td", "", words.none)];
  const share = times[step] / all;
  return [make("td", "", words.time(times[step])), shared(words.share(share), times[step] / Math.max(...times))];
}

/**
 * @param {Layer[]} all
 * @param {Timed} timed
 */
function totals(all, timed) {
  const row = make("tr", "total");
  const sum = (/** @type {(layer: Layer) => number} */ of) => words.count(all.reduce((total, layer) => total + of(layer), 0));
  const empty = () => make("td", "");
  row.append(heading(words.total, "row"), empty(), empty(), empty(), empty());
  row.append(make("td", "", sum((l) => l.weightsBytes)), make("td", "", sum((l) => l.multiplyAdds)), empty());
  if (timed) row.append(make("td", "", words.time(timed.all)), make("td", "", words.share(1)));
  return row;
}

/**
 * A cell with a bar behind its text.
 *
 * @param {string} text
 * @param {number} share of the longest bar
 */
function shared(text, share) {
  const cell = make("td", "work", text);
  cell.style.setProperty("--share", String(share));
  return cell;
}

/**
 * @param {string} text
 * @param {"row" | "col"} scope
 */
function heading(text, scope) {
  const node = /** @type {HTMLTableCellElement} */ (make("th", ""));
  // Where there is little room, a layer's name is broken behind its dots.
  text.split(/(?<=\.)/).forEach((part, i) => node.append(...(i ? [document.createElement("wbr")] : []), part));
  node.scope = scope;
  return node;
}
