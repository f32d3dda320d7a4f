/** Milliseconds per picture, all engines of a network in turns on one page. */

import { withPage } from "./browser.js";
import { rivals, theirs, THEIRS } from "./candidates.js";

/**
 * @param {import("../bench.js").Bench} bench
 * @returns {Promise<import("../bench.js").Findings>}
 */
export async function speed({ plan, site, switchable }) {
  const [samples, notes] = [/** @type {import("../bench.js").Sample[]} */ ([]), /** @type {string[]} */ ([])];
  for (const network of plan.networks) {
    const candidates = rivals(network, switchable);
    const results = await withPage(async (page) => {
      await page.goto(`${site.address}page/index.html`);
      await page.waitForFunction("window.bench");
      const ask = /** @type {[unknown, number]} */ ([candidates, plan.turns]);
      return await page.evaluate(([candidates, turns]) => /** @type {any} */ (window).bench.speed(candidates, turns), ask);
    });
    const wanted = results[candidates.findIndex(({ label }) => label === theirs(network).label)].answers;
    for (const [i, { label, url }] of candidates.entries()) {
      const { inference, frame, answers, warm } = results[i];
      const row = { network: network.name, engine: label };
      samples.push({ ...row, metric: "inference", unit: "ms", values: inference });
      samples.push({ ...row, metric: "frame", unit: "ms", values: frame });
      notes.push(`${network.name}, ${label}: ${warm} runs until steady`);
      if (url === network.peer?.url) continue;
      const { same, farthest } = compared(answers, wanted);
      samples.push({ ...row, metric: "top-1 as onnxruntime-web's", unit: `of ${answers.length} pictures`, values: [same] });
      samples.push({ ...row, metric: "logits farthest from onnxruntime-web's", unit: "-", values: [farthest] });
      if (same < answers.length) notes.push(`${network.name}: ${label} and ${THEIRS} DISAGREE on the first class`);
    }
  }
  return { samples, notes };
}

/**
 * @param {number[][]} answers logits of each picture
 * @param {number[][]} wanted what another engine says
 */
function compared(answers, wanted) {
  const top = (/** @type {number[]} */ logits) => logits.indexOf(Math.max(...logits));
  const same = answers.filter((logits, p) => top(logits) === top(wanted[p])).length;
  const farthest = Math.max(...answers.flatMap((logits, p) => logits.map((logit, c) => Math.abs(logit - wanted[p][c]))));
  return { same, farthest };
}
