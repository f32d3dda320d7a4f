/** What the model file says about itself. */

import { element, make } from "./dom.js";
import { showLayers } from "./layers.js";
import { showShifts } from "./shifts.js";
import { facts, plain, summary, tiles } from "./strings.js";

/**
 * Shows a model's card and figures.
 *
 * @param {import("../shared/messages.js").LoadedModel} loaded
 * @param {string} name of the file or of the published model
 */
export function showPanel(loaded, name) {
  const [words, figures, more] =
    loaded.kind === "lsspq"
      ? [summary(loaded), tiles(loaded), facts(loaded)]
      : [plain.summary(loaded, name), plain.tiles(loaded), plain.facts(loaded)];
  element("panel-summary", HTMLElement).textContent = words;
  element("figures", HTMLElement).replaceChildren(
    ...figures.map(({ key, name, value, note }) => {
      const tile = make("div", "tile");
      tile.dataset.figure = key;
      tile.append(make("dt", "", name), make("dd", "tile-value", value), make("dd", "tile-note", note));
      return tile;
    }),
  );
  element("facts", HTMLElement).replaceChildren(
    ...more.map(([name, value]) => {
      const fact = make("div", "");
      fact.append(make("dt", "", name), make("dd", "", value));
      return fact;
    }),
  );
  if (loaded.kind === "lsspq") showLayers(loaded.layers, loaded.plan);
  else showLayers([], []);
  showShifts(loaded.kind === "lsspq" ? loaded.shifts : []);
  element("panel", HTMLElement).hidden = false;
}
