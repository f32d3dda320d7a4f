/** The learned displacements as pictures: for every block, how many channels go where. */

import { element, make } from "./dom.js";
import { shifts as words } from "./strings.js";

/** @typedef {import("../shared/messages.js").Shift} Shift */

/** @param {Shift[]} all none hides the view */
export function showShifts(all) {
  element("shifts-box", HTMLElement).hidden = all.length === 0;
  if (all.length === 0) return;
  const reach = Math.max(...all.map((shift) => shift.reach));
  const channels = all.flatMap((shift) => shift.displacements);
  const staying = channels.filter(([down, right]) => down === 0 && right === 0).length;
  element("shifts-note", HTMLElement).textContent = words.note(staying, channels.length);
  element("shifts", HTMLElement).replaceChildren(...all.map((shift, i) => figure(shift, i, reach)));
}

/**
 * @param {Shift} shift
 * @param {number} block counted from 0
 * @param {number} reach the same for all pictures, so that they can be compared
 */
function figure({ displacements }, block, reach) {
  const side = 2 * reach + 1;
  const counts = new Array(side * side).fill(0);
  for (const [down, right] of displacements) counts[(down + reach) * side + right + reach]++;
  const most = Math.max(...counts);
  const grid = make("div", "shift-grid");
  grid.style.setProperty("--side", String(side));
  grid.setAttribute("role", "img");
  grid.setAttribute("aria-label", words.describe(block, counts, reach));
  grid.append(
    ...counts.map((count) => {
      const cell = make("span", "");
      // The square root: what few channels do is to be seen as well.
      cell.style.setProperty("--share", String(Math.sqrt(count / most)));
      return cell;
    }),
  );
  const node = make("li", "shift");
  node.append(grid, make("p", "", words.caption(block, displacements.length)));
  return node;
}
