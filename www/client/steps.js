/** Which step of a network's plan computes which of its layers. */

/** @typedef {import("../shared/messages.js").Layer} Layer */
/** @typedef {import("../shared/messages.js").PlannedLayer} PlannedLayer */

/** What the trainer calls the parts of a block in the file, with the number of the block behind it. */
const PARTS = /** @type {Record<string, string>} */ ({ reduce: "R", expand: "E", shortcut: "P" });

/**
 * The step of every layer, as far as it has one of its own: a shift is computed with the layer behind it. Steps are found
 * by the names of their nodes; what another program wrote is not found, and stands for itself.
 *
 * @param {Layer[]} layers
 * @param {PlannedLayer[]} plan
 * @returns {Map<string, number>} from the layer's name to the position in the plan
 */
export function stepsOf(layers, plan) {
  const positions = new Map(plan.map(({ name }, step) => [name, step]));
  /** @type {string[]} */
  const blocks = [];
  const found = new Map();
  for (const { name } of layers) {
    const [, block, part] = name.match(/^(groups\.\d+\.blocks\.\d+)\.(.+)$/) ?? [];
    if (block && block !== blocks.at(-1)) blocks.push(block);
    const node = block ? `${PARTS[part]}${blocks.length - 1}` : name;
    const step = positions.get(node);
    if (step !== undefined) found.set(name, step);
  }
  return found;
}
