/** What decides about label and doubt, what smooths and what averages: the page's own modules, without a browser. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FADES_MS, Smoother } from "../../www/client/smoothing.js";
import { Steady } from "../../www/client/steady.js";
import { stepsOf } from "../../www/client/steps.js";
import { percentile, steadyMeans } from "../../www/shared/stats.js";

/**
 * @param {number} cat its probability; the dog's is the rest
 */
const answer = (cat) =>
  [
    { index: 0, label: "cat", probability: cat },
    { index: 1, label: "dog", probability: 1 - cat },
  ].sort((a, b) => b.probability - a.probability);

test("a label holds while two classes take turns at the top", () => {
  const steady = new Steady();
  const seen = [0.52, 0.48, 0.53, 0.47, 0.52].map((cat, i) => steady.choose(answer(cat), 100 * i, 0.1, false).top.label);
  assert.deepEqual(new Set(seen), new Set(["cat"]));
});

test("another label comes at once when it leads clearly, and after a while when it leads at all", () => {
  const steady = new Steady();
  assert.equal(steady.choose(answer(0.9), 0, 0.1, false).top.label, "cat");
  assert.equal(steady.choose(answer(0.3), 33, 0.1, false).top.label, "dog");
  const labels = [0, 200, 400, 600].map((t) => steady.choose(answer(0.52), 1000 + t, 0.1, false).top.label);
  assert.deepEqual(labels, ["dog", "dog", "dog", "cat"]);
});

test("without smoothing every frame decides for itself", () => {
  const steady = new Steady();
  const labels = [0.52, 0.48, 0.52].map((cat, i) => steady.choose(answer(cat), i, 0.1, true).top.label);
  assert.deepEqual(labels, ["cat", "dog", "cat"]);
  const smoother = new Smoother();
  smoother.fade_ms = FADES_MS.off;
  smoother.add(answer(1), 0);
  assert.equal(smoother.add(answer(0), 1)[0].probability, 1);
});

test("doubt neither comes nor goes at the very threshold", () => {
  const steady = new Steady();
  const doubts = [0.6, 0.49, 0.51, 0.46, 0.51, 0.52, 0.54, 0.49].map((cat, i) => steady.choose([answer(cat).find((p) => p.label === "cat") ?? answer(cat)[0]], i, 0.5, false).unsure);
  assert.deepEqual(doubts, [false, false, false, true, true, true, false, false]);
});

test("smoothing fades as it was chosen", () => {
  const half = (/** @type {number} */ fade) => {
    const smoother = new Smoother();
    smoother.fade_ms = fade;
    smoother.add(answer(1), 0);
    return smoother.add(answer(0), 180).find(({ label }) => label === "cat")?.probability ?? 0;
  };
  assert.ok(half(FADES_MS.strong) > half(FADES_MS.normal) && half(FADES_MS.normal) > half(FADES_MS.light));
  assert.ok(Math.abs(half(FADES_MS.normal) - Math.exp(-1)) < 1e-9);
});

test("percentiles are values that were measured", () => {
  assert.deepEqual([0.5, 0.95, 1, 0].map((share) => percentile([5, 1, 4, 2, 3], share)), [3, 5, 5, 1]);
  assert.equal(percentile([7], 0.5), 7);
});

test("means are those of the runs that nothing disturbed", () => {
  assert.deepEqual(steadyMeans([[1, 2], [3, 4], [90, 90], [2, 3]]), [2, 3]);
  assert.deepEqual(steadyMeans([[5, 1]]), [5, 1]);
  assert.deepEqual(steadyMeans([]), []);
});

test("layers find their steps by the names of the trainer, and foreign steps stand for themselves", () => {
  const layers = ["stem", "groups.0.blocks.0.reduce", "groups.0.blocks.0.expand", "groups.0.blocks.0.shortcut", "groups.1.blocks.0.reduce", "linear"];
  const plan = ["stem", "R0", "P0", "E0", "conv_17", "linear"];
  const found = stepsOf(/** @type {any} */ (layers.map((name) => ({ name }))), /** @type {any} */ (plan.map((name) => ({ name }))));
  assert.deepEqual([...found], [["stem", 0], [layers[1], 1], [layers[2], 3], [layers[3], 2], ["linear", 5]]);
});
