/** Loads one engine and one model and predicts once: nothing is warm. The candidate is the address's query. */

import { load } from "./engines.js";
import { picture } from "./pictures.js";

const query = Object.fromEntries(new URLSearchParams(location.search));
const candidate = /** @type {import("./engines.js").Candidate} */ (/** @type {unknown} */ ({ ...query, side: Number(query.side) }));
const rgba = picture(0, candidate.side);
const { classify } = await load(candidate);
await classify(rgba);
// Counted from the navigation's start.
/** @type {any} */ (window).firstPrediction = performance.now();
