/** What the benchmark asks of its page, as `window.bench`. */

import { linearMib, load } from "./engines.js";
import { kernels } from "./kernels.js";
import { picture } from "./pictures.js";

/** @typedef {import("./engines.js").Candidate} Candidate */
/** @typedef {import("./engines.js").Answer} Answer */

/** Pictures that take turns. */
const PICTURES = 8;
/** Warming up: at least so many milliseconds a round, so many rounds at most, until rounds differ by less than that. */
const [ROUND_MS, ROUNDS, STEADY] = [700, 6, 0.03];
/** The compiler works in the background: what it has finished takes effect after a pause. */
const PAUSE_MS = 400;

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** @param {number} side */
const album = (side) => Array.from({ length: PICTURES }, (_, i) => picture(i, side));

/**
 * Runs until the optimising compiler has nothing left to do, as far as the clock can tell.
 *
 * @param {() => Promise<Answer>} run
 * @returns {Promise<number>} how many runs it took
 */
async function warmUp(run) {
  let [before, runs] = [Infinity, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const times = [];
    for (const begin = performance.now(); performance.now() - begin < ROUND_MS || times.length < 3; runs++) {
      times.push((await run()).inference);
    }
    await pause(PAUSE_MS);
    const now = median(times);
    if (Math.abs(now / before - 1) < STEADY) break;
    before = now;
  }
  return runs;
}

/**
 * All candidates on one page, taking turns; whoever began one turn comes last in the next.
 *
 * @param {Candidate[]} candidates
 * @param {number} turns
 */
async function speed(candidates, turns) {
  const engines = [];
  for (const candidate of candidates) {
    const [{ classify, logits }, pictures] = [await load(candidate), album(candidate.side)];
    const warm = await warmUp(async () => classify(pictures[0]));
    /** @type {number[][]} */
    const answers = [];
    for (const rgba of pictures) answers.push(Array.from(await logits(rgba)));
    engines.push({ classify, pictures, warm, answers, inference: /** @type {number[]} */ ([]), frame: /** @type {number[]} */ ([]) });
  }
  await pause(1000);
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < engines.length; i++) {
      const { classify, pictures, inference, frame } = engines[(turn + i) % engines.length];
      const answer = await classify(pictures[turn % PICTURES]);
      inference.push(answer.inference);
      frame.push(answer.frame);
      await pause(0);
    }
  }
  return engines.map(({ inference, frame, answers, warm }) => ({ inference, frame, answers, warm }));
}

/**
 * One candidate alone.
 *
 * @param {Candidate} candidate
 * @param {number} frames
 */
async function memory(candidate, frames) {
  const [{ classify }, pictures] = [await load(candidate), album(candidate.side)];
  for (let i = 0; i < frames; i++) await classify(pictures[i % PICTURES]);
  return linearMib();
}

/** @type {{ classify: import("./engines.js").Engine["classify"], pictures: Uint8ClampedArray[] } | undefined} */
let prepared;

/**
 * Loads and warms up what `endure` runs.
 *
 * @param {Candidate} candidate
 */
async function prepare(candidate) {
  const [{ classify }, pictures] = [await load(candidate), album(candidate.side)];
  await warmUp(async () => classify(pictures[0]));
  prepared = { classify, pictures };
}

/**
 * Frames without end, as a camera would bring them.
 *
 * @param {number} minutes
 * @param {number} bucketMs one point a so many milliseconds
 */
async function endure(minutes, bucketMs) {
  if (!prepared) throw new Error("nothing is prepared");
  const { classify, pictures } = prepared;
  const points = [];
  const begin = performance.now();
  for (let now = begin; now - begin < minutes * 60_000; ) {
    const times = [];
    const from = now;
    for (let i = 0; now - from < bucketMs; i++) {
      times.push((await classify(pictures[i % PICTURES])).frame);
      await pause(0);
      now = performance.now();
    }
    const heap = /** @type {any} */ (performance).memory.usedJSHeapSize / 2 ** 20;
    points.push({ minute: (from - begin) / 60_000, frames: times.length, latency: median(times), linear: linearMib(), heap });
  }
  return points;
}

/** @type {any} */ (window).bench = { speed, memory, prepare, endure, kernels };
