/** Every engine behind one face: from RGBA pixels of the network's own size to the first class. */

/** Linear memories, in the order of their making: an engine keeps its own to itself. */
/** @type {WebAssembly.Memory[]} */
const memories = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
  /** @param {WebAssembly.MemoryDescriptor} descriptor */
  constructor(descriptor) {
    super(descriptor);
    memories.push(this);
  }
};

/** The linear memory of all engines on this page in MiB. It never shrinks, so this is also the most that there was. */
export const linearMib = () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0) / 2 ** 20;

/**
 * @typedef {object} Answer
 * @property {number} inference milliseconds inside the network
 * @property {number} frame milliseconds from pixels to class
 * @property {number} top the first class
 */
/**
 * @typedef {object} Engine
 * @property {(rgba: Uint8ClampedArray) => Answer | Promise<Answer>} classify
 * @property {(rgba: Uint8ClampedArray) => Float32Array | Promise<Float32Array>} logits
 */
/** @typedef {{ engine: string, network: string, url: string, side: number }} Candidate `engine` is a key of ENGINES */

/** @typedef {typeof import("../../../pkg/lsspq.js")} Library */

/** The library by the module that it runs: each is started once, with a JavaScript of its own. */
/** @type {Map<string | undefined, Promise<Library>>} */
const libraries = new Map();

/**
 * Fetches and starts ours, once.
 *
 * @param {string} [name] the module's file; without it the library chooses
 */
export function startLibrary(name) {
  const start = async () => {
    // At run time: the folder is built, and served beside this one. The page's address may name another.
    const folder = new URLSearchParams(location.search).get("library") ?? "pkg";
    const address = (/** @type {string} */ file) => new URL(`/${folder}/${file}`, location.href);
    const module = await import(address(name ? `lsspq.js?${name}` : "lsspq.js").href);
    memories.push((await module.default(name && { module_or_path: address(name) })).memory);
    return module;
  };
  const library = libraries.get(name) ?? start();
  libraries.set(name, library);
  return library;
}

/** @param {string} url */
async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * @param {Candidate} candidate
 * @param {(classifier: any) => (bytes: Uint8Array) => import("../../../pkg/lsspq.js").Classifier} loader
 * @param {string} [module] its file; without it the library chooses
 * @returns {Promise<Engine>}
 */
async function ours({ url, side }, loader, module) {
  const [bytes, { Classifier }] = await Promise.all([fetched(url), startLibrary(module)]);
  const classifier = loader(Classifier)(bytes);
  return {
    classify(rgba) {
      const begin = performance.now();
      const { predictions, milliseconds } = classifier.classify(rgba, side, side, 1);
      return { inference: milliseconds.inference, frame: performance.now() - begin, top: predictions[0].index };
    },
    logits: (rgba) => classifier.logits(rgba, side, side),
  };
}

/** @type {Promise<typeof import("onnxruntime-web/wasm")> | undefined} */
let runtime;

function startRuntime() {
  runtime ??= (async () => {
    const ort = await import(new URL("/ort/ort.wasm.min.mjs", location.href).href);
    ort.env.wasm.wasmPaths = new URL("/ort/", location.href).href;
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = "error";
    return ort;
  })();
  return runtime;
}

/**
 * @param {Candidate} candidate
 * @returns {Promise<Engine>}
 */
async function onnxruntime({ url, side }) {
  const [bytes, ort] = await Promise.all([fetched(url), startRuntime()]);
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  const input = new Float32Array(3 * side * side);
  const run = async () => {
    const image = new ort.Tensor("float32", input, [1, 3, side, side]);
    const { logits } = await session.run({ image }, ["logits"]);
    return /** @type {Float32Array} */ (logits.data);
  };
  return {
    async classify(rgba) {
      const begin = performance.now();
      planes(rgba, input);
      const ready = performance.now();
      const logits = await run();
      const top = logits.indexOf(Math.max(...logits));
      const end = performance.now();
      return { inference: end - ready, frame: end - begin, top };
    },
    logits(rgba) {
      planes(rgba, input);
      return run();
    },
  };
}

/**
 * Red, green and blue planes in [0, 1].
 *
 * @param {Uint8ClampedArray} rgba
 * @param {Float32Array} input
 */
function planes(rgba, input) {
  const pixels = rgba.length / 4;
  for (let i = 0; i < pixels; i++) {
    input[i] = rgba[4 * i] / 255;
    input[pixels + i] = rgba[4 * i + 1] / 255;
    input[2 * pixels + i] = rgba[4 * i + 2] / 255;
  }
}

/** @type {Record<string, (candidate: Candidate) => Promise<Engine>>} */
const ENGINES = {
  lsspq: (candidate) => ours(candidate, (Classifier) => Classifier.load),
  usual: (candidate) => ours(candidate, (Classifier) => Classifier.load, "lsspq_bg.wasm"),
  tract: (candidate) => ours(candidate, (Classifier) => Classifier.loadFloat),
  onnxruntime,
};

/**
 * @param {Candidate} candidate
 * @returns {Promise<Engine>}
 */
export const load = (candidate) => ENGINES[candidate.engine](candidate);
