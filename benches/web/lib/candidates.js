/** Who runs what. */

/** @typedef {import("../page/engines.js").Candidate} Candidate */
/** @typedef {Candidate & { network: string, label: string }} Rival `label` is the engine's name in the table */

/** The names of the engines in the table; xtask/src/bench/web/found.rs knows the first. */
export const OURS = "lsspq";
export const THEIRS = "onnxruntime-web";

/**
 * @param {import("../bench.js").Network} network
 * @returns {Rival}
 */
export const ours = ({ name, url, side }) => ({ engine: "lsspq", label: OURS, network: name, url, side });

/**
 * @param {import("../bench.js").Network} network
 * @returns {Rival}
 */
export const theirs = ({ name, url, side }) => ({ engine: "onnxruntime", label: THEIRS, network: name, url, side });

/**
 * All engines of one network, ours first.
 *
 * @param {import("../bench.js").Network} network
 * @param {boolean} switchable whether the library can run without its rewrite
 * @returns {Rival[]}
 */
export function rivals(network, switchable) {
  const { name, url, side, int8, peer } = network;
  return [
    ours(network),
    { engine: "usual", label: `${OURS} without relaxed SIMD`, network: name, url, side },
    ...(switchable ? [{ engine: "tract", label: "lsspq without the rewrite (tract)", network: name, url, side }] : []),
    theirs(network),
    { engine: "onnxruntime", label: `${THEIRS} int8`, network: name, url: int8, side },
    ...(peer ? [{ engine: "onnxruntime", label: `${THEIRS}, ${peer.name} in its place`, network: name, url: peer.url, side }] : []),
  ];
}
