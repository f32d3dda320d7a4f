/** What the model file says about itself. */

import { element, make } from "./dom.js";
import { facts, summary, tiles } from "./strings.js";

/**
 * Shows a model's card and figures.
 *
 * @param {import("../shared/messages.js").LoadedModel} loaded
 */
export function showPanel(loaded) {
  element("panel-summary", HTMLElement).textContent = summary(loaded);
  element("figures", HTMLElement).replaceChildren(
    ...tiles(loaded).map(({ key, name, value, note }) => {
      const tile = make("div", "tile");
      tile.dataset.figure = key;
      tile.append(make("dt", "", name), make("dd", "tile-value", value), make("dd", "tile-note", note));
      return tile;
    }),
  );
  element("facts", HTMLElement).replaceChildren(
    ...facts(loaded).map(([name, value]) => {
      const fact = make("div", "");
      fact.append(make("dt", "", name), make("dd", "", value));
      return fact;
    }),
  );
  element("panel", HTMLElement).hidden = false;
}
