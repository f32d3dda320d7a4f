/** Every word that the page shows, in English. */

const number = (/** @type {number} */ value, /** @type {number} */ digits) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const percent = (/** @type {number} */ value, digits = 2) => `${number(value, digits)} %`;
const mib = (/** @type {number} */ bytes, digits = 2) => `${number(bytes / 2 ** 20, digits)} MiB`;
const bits = (/** @type {number | undefined} */ value) => (value === undefined ? "float" : `${value}-bit`);
const many = (/** @type {number} */ value) =>
  value >= 1e9 ? `${number(value / 1e9, 2)} G` : value >= 1e6 ? `${number(value / 1e6, 1)} M` : number(value, 0);

/** Texts by the names that index.html gives in `data-text` and `data-label`. */
export const texts = /** @type {Record<string, string>} */ ({
  title: "What does it see?",
  tagline: "A tiny network, at work in your browser.",
  model: "Model",
  openModel: "Open a model…",
  seeingTitle: "Camera and pictures",
  videoLabel: "Live picture of the camera",
  squareCaption: "the network sees this square",
  invitation: "Show it something.",
  invitationNote: "Your pictures stay on this device.",
  startCamera: "Start the camera",
  stopCamera: "Stop the camera",
  device: "Camera",
  mirror: "Mirror",
  choosePicture: "Choose a picture…",
  pictureHint: "or drop one here, or paste it",
  dropHint: "Drop a picture or a model file",
  samplesTitle: "Or try a photograph",
  samplesSources: "Sources of the photographs",
  answerTitle: "It sees",
  barsLabel: "The five likeliest classes",
  latency: "Frame to label",
  rate: "Frames a second",
  breakdown: "Of that",
  panelTitle: "The network",
  panelMore: "More about this model",
  privacy: "Everything runs on this device. The page fetches its own files and sends nothing.",
});

export const loading = {
  library: "Loading the classifier",
  model: (/** @type {string} */ name) => `Loading ${name}`,
  preparing: "Preparing the network",
  bytes: (/** @type {number} */ loaded, /** @type {number | null} */ total) =>
    total === null ? mib(loaded) : `${mib(loaded)} of ${mib(total)} · ${Math.floor((100 * loaded) / Math.max(1, total))} %`,
  failed: "No model is loaded.",
};

export const answer = {
  knows: (/** @type {string[]} */ labels) =>
    labels.length <= 12 ? `It knows only: ${labels.join(", ")}.` : `It knows ${labels.length} classes.`,
  percent: (/** @type {number} */ probability) => `${Math.round(100 * probability)} %`,
  milliseconds: (/** @type {number} */ value) => `${number(value, value < 10 ? 1 : 0)} ms`,
  rate: (/** @type {number} */ value) => number(value, value < 10 ? 1 : 0),
  none: "–",
  breakdown: (/** @type {{ preprocess: number, inference: number }} */ time) =>
    `${number(time.inference, 1)} ms network, ${number(time.preprocess, 1)} ms picture`,
  announce: (/** @type {string} */ label, /** @type {number} */ probability) => `${label}, ${Math.round(100 * probability)} percent`,
  preview: (/** @type {number} */ side) => `all it gets: ${side}\u00a0×\u00a0${side}\u00a0px`,
  unreadable: (/** @type {string} */ name) => `${name} is no picture that this browser can read. Try a JPEG or PNG file.`,
  sampleMissing: (/** @type {string} */ name) => `The photograph “${name}” is missing on the server.`,
  failed: (/** @type {string} */ message) => `This picture cannot be classified: ${message}.`,
};

export const camera = {
  unnamed: (/** @type {number} */ count) => `Camera ${count}`,
  retry: "Try again",
  lost: "The camera went away. Plug it in again, or choose a picture.",
  /** By the codes of camera.js. */
  errors: /** @type {Record<string, string>} */ ({
    "camera-refused":
      "The camera was not allowed. Allow it in the browser's settings for this page (the icon beside the address), then try again. Pictures work without it.",
    "camera-none": "No camera was found. Plug one in and try again, or choose a picture instead.",
    "camera-busy": "The camera is in use by another program. Close that program and try again, or choose a picture instead.",
    "camera-insecure":
      "Browsers give the camera only to pages opened over https or from this computer (127.0.0.1). Choose a picture instead.",
    "camera-unknown": "The camera does not start. Try again, or choose a picture instead.",
  }),
};

export const model = {
  retry: "Try again",
  kept: (/** @type {string} */ name) => ` Still using ${name}.`,
  /** By the codes of the worker and of the library; the message names the file and says what is wrong. */
  error(/** @type {string} */ code, /** @type {string} */ message, /** @type {string} */ name) {
    switch (code) {
      case "index-missing":
        return "The list of models (models/index.json) is missing on the server, so there is no model to load. You can open a model file of your own.";
      case "index-broken":
        return "The list of models (models/index.json) cannot be read. You can open a model file of your own.";
      case "missing":
        return `The model ${name} is missing on the server: ${message}.`;
      case "unreachable":
        return `The model ${name} cannot be fetched. Check the connection and try again.`;
      case "wrong-length":
      case "wrong-hash":
        return `The model ${name} arrived damaged: ${message}.`;
      default:
        return `The model ${name} cannot be used: ${message}.`;
    }
  },
};

export const library = {
  noSimd:
    "This browser is too old: the classifier needs WebAssembly SIMD. Chrome and Edge have it since version 91, Firefox since 89, Safari since 16.4.",
  missing: "The classifier itself (pkg/) is missing on the server. Build and serve the page with `cargo xtask serve`.",
  broken: (/** @type {string} */ message) => `The classifier does not start: ${message}.`,
};

/**
 * The tiles of the panel: a name, the figure, and what one must know to read it.
 *
 * @param {import("../shared/messages.js").LoadedModel} loaded
 * @returns {{ key: string, name: string, value: string, note: string }[]}
 */
export function tiles({ card, metrics }) {
  const { accuracy, floatTwinAccuracy: twin, lossPoints } = metrics;
  const chance = percent(metrics.chancePercent, metrics.chancePercent < 1 ? 1 : 0);
  const context = accuracy && `${percent(accuracy.top1.percent)} in ${mib(metrics.sizeBytes)} on ${metrics.dataset}, where guessing gives ${chance}`;
  const widths = [...new Set([card.spec.bits.weights, ...card.spec.groups.map((/** @type {{ weight_bits?: number }} */ g) => g.weight_bits ?? card.spec.bits.weights)])];
  return [
    {
      key: "accuracy",
      name: "Accuracy (top-1)",
      value: accuracy ? percent(accuracy.top1.percent) : "not measured",
      note: accuracy
        ? `95 % interval ${number(accuracy.top1.low, 1)} to ${percent(accuracy.top1.high, 1)}, on ${number(accuracy.images, 0)} test pictures`
        : "The file states no accuracy.",
    },
    {
      key: "size",
      name: "Size of the file",
      value: mib(metrics.sizeBytes, metrics.sizeBytes < 2 ** 20 ? 3 : 2),
      note: `${number(metrics.sizeBytes, 0)} bytes, ${number(metrics.weightsBytes, 0)} of them weights`,
    },
    {
      key: "density",
      name: "Information density",
      value: metrics.informationDensity === null ? "–" : number(metrics.informationDensity, 3),
      note: context ? `log₁₀(percent / MiB): ${context}. Compare it within one data set only.` : "Needs a measured accuracy.",
    },
    {
      key: "ratio",
      name: "Smaller than its float twin",
      value: `${number(metrics.floatTwinRatio, 1)} ×`,
      note: twin
        ? `The same network in 32-bit float: ${mib(metrics.floatTwinBytes)}, ${percent(twin.top1.percent)}; ${number(Math.abs(lossPoints ?? 0), 2)} points ${(lossPoints ?? 0) < 0 ? "gained" : "lost"}`
        : `The same network in 32-bit float: ${mib(metrics.floatTwinBytes)}`,
    },
    {
      key: "bits",
      name: "Bits",
      value: `${widths.map((w) => w ?? 32).join("/")} · ${card.spec.bits.activations ?? 32}`,
      note: `Weights ${widths.map(bits).join(" and ")}, activations ${bits(card.spec.bits.activations)}, last layer ${bits(card.spec.bits.linear)}; the first convolution is float`,
    },
    {
      key: "work",
      name: "Multiply-adds a picture",
      value: many(metrics.multiplyAdds),
      note: `Input ${card.spec.input} × ${card.spec.input} pixels; shifts cost none`,
    },
  ];
}

/** @param {import("../shared/messages.js").LoadedModel} loaded */
export function summary({ card, metrics }) {
  const chance = percent(metrics.chancePercent, metrics.chancePercent < 1 ? 1 : 0);
  return `${card.spec.name}, trained on ${metrics.dataset}: ${card.spec.classes} classes, so guessing is right in ${chance}.`;
}

/**
 * The facts under “More about this model”.
 *
 * @param {import("../shared/messages.js").LoadedModel} loaded
 * @returns {[string, string][]}
 */
export function facts({ card, metrics, sha256 }) {
  const { accuracy } = metrics;
  const all = /** @type {[string, string | null | undefined][]} */ ([
    ["Top-5 accuracy", accuracy && `${percent(accuracy.top5.percent)} (${number(accuracy.top5.low, 1)} to ${percent(accuracy.top5.high, 1)})`],
    ["Classes", card.labels.length <= 30 ? card.labels.join(", ") : `${card.labels.length}`],
    ["Training stages", card.stages?.map((/** @type {{ epochs: number, weights?: number, activations?: number }} */ s) => `${s.epochs} epochs, weights ${bits(s.weights)}, activations ${bits(s.activations)}`).join("; ")],
    ["Seed", `${card.seed}`],
    ["Licence of the weights", card.licence],
    ["Made by", card.provenance],
    ["SHA-256", sha256],
  ]);
  return all.filter((pair) => pair[1]).map(([name, value]) => [name, /** @type {string} */ (value)]);
}
