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
  forgetModel: "Forget it",
  normalisation: "Its pictures are scaled",
  normalisationUnit: "from 0 to 1",
  normalisationImagenet: "by ImageNet’s mean and deviation",
  openLabels: "Open labels…",
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
  barsLabel: "The likeliest classes",
  latency: "Frame to label",
  rate: "Frames a second",
  breakdown: "Of that",
  freeze: "Freeze",
  copy: "Copy the result",
  save: "Save the picture",
  smoothing: "Smoothing",
  smoothingOff: "Off: every frame as it is",
  smoothingLight: "Light",
  smoothingNormal: "Normal",
  smoothingStrong: "Strong",
  topCount: "Classes",
  answersBy: "Answers with",
  answersByTaught: "your classes",
  answersByModel: "the network’s own classes",
  teachTitle: "Teach your own classes",
  teachName: "Name of a new class",
  teachVideo: "Live picture of the camera, small",
  teachAdd: "Add the class",
  teachClasses: "Your classes",
  teachUndo: "Undo",
  teachSave: "Save to a file",
  teachOpen: "Open a file…",
  teachExport: "Export pictures",
  teachForget: "Forget all",
  layersTitle: "Layer by layer",
  measureLayers: "Measure the time of each layer",
  shiftsTitle: "Where the channels are shifted",
  measure: "Measure it on this device",
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
  knowsTaught: (/** @type {string[]} */ labels) => `You taught it: ${labels.join(", ")}. It takes everything for one of them.`,
  percent: (/** @type {number} */ probability) => `${Math.round(100 * probability)} %`,
  milliseconds: (/** @type {number} */ value) => `${number(value, value < 10 ? 1 : 0)} ms`,
  rate: (/** @type {number} */ value) => number(value, value < 10 ? 1 : 0),
  none: "–",
  breakdown: (/** @type {{ preprocess: number, inference: number }} */ time) =>
    `${number(time.inference, 1)} ms network, ${number(time.preprocess, 1)} ms picture`,
  announce: (/** @type {string} */ label, /** @type {number} */ probability, /** @type {boolean} */ unsure) =>
    `${unsure ? "not sure, perhaps " : ""}${label}, ${Math.round(100 * probability)} percent`,
  unsure: "Not sure, perhaps",
  threshold: (/** @type {number} */ value, /** @type {boolean} */ stated) =>
    `Below ${Math.round(100 * value)} % it is called not sure${stated ? "" : " (a default: the file states no threshold)"}.`,
  chart: (/** @type {number} */ median, /** @type {number} */ slow, /** @type {number} */ frames) =>
    `The last ${frames} frames: half within ${number(median, 1)} ms, 95 % within ${number(slow, 1)} ms`,
  preview: (/** @type {number} */ side) => `all it gets: ${side}\u00a0×\u00a0${side}\u00a0px`,
  unreadable: (/** @type {string} */ name) => `${name} is no picture that this browser can read. Try a JPEG or PNG file.`,
  sampleMissing: (/** @type {string} */ name) => `The photograph “${name}” is missing on the server.`,
  failed: (/** @type {string} */ message) => `This picture cannot be classified: ${message}.`,
};

export const tools = {
  freeze: "Freeze",
  goOn: "Go on",
  copied: "Copied",
  saved: "Saved",
  nothing: "there is no result yet",
  noClipboard: "this browser gives the clipboard only to pages over https",
  failed: (/** @type {string} */ message) => `That did not work: ${message.replace(/\.$/, "")}.`,
  /** @param {{ top: { label: string }, unsure: boolean }} headline @param {{ label: string, probability: number }[]} ranked @param {string} model */
  result: ({ top, unsure }, ranked, model) =>
    [
      `${unsure ? `${answer.unsure} ` : ""}${top.label}`,
      ...ranked.map(({ label, probability }) => `${percent(100 * probability, 1)}\t${label}`),
      `${model}, lsspq`,
    ].join("\n"),
};

export const offline = {
  ready: "Kept on this device: the page works without a network too.",
  update: "A newer version of this page is ready.",
  replaced: "A newer version of this page was put to use in another tab. This tab goes on with the old one until it is loaded again.",
  reload: "Use it now",
};

export const camera = {
  unnamed: (/** @type {number} */ count) => `Camera ${count}`,
  retry: "Try again",
  toFront: "Front camera",
  toRear: "Rear camera",
  silent: "The camera sends no pictures at the moment; another program may have taken it. It goes on when they come back.",
  /** By the codes of camera.js. */
  errors: /** @type {Record<string, string>} */ ({
    "camera-refused":
      "The camera was not allowed. Allow it in the browser's settings for this page (the icon beside the address), then try again. Pictures work without it.",
    "camera-revoked":
      "The camera is no longer allowed. Allow it again in the browser's settings for this page and it goes on. Pictures work without it.",
    "camera-lost": "The camera went away. Plug it in again and it goes on, or choose a picture.",
    "camera-none": "No camera was found. Plug one in and try again, or choose a picture instead.",
    "camera-busy":
      "The camera is in use by another program. Close that program and it starts here, or choose a picture instead.",
    "camera-insecure":
      "Browsers give the camera only to pages opened over https or from this computer (127.0.0.1). Choose a picture instead.",
    "camera-unknown": "The camera does not start. Try again, or choose a picture instead.",
  }),
};

export const model = {
  retry: "Try again",
  published: "Published",
  own: "Yours, kept in this browser",
  back: (/** @type {string} */ name) => `Back to ${name}`,
  notListed: (/** @type {string} */ file, /** @type {string} */ name) => `This page has no model ${file}. Using ${name} in its place.`,
  noModel: (/** @type {string} */ name) => `${name} is no model: the name of a model file ends with .onnx.`,
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
      case "labels":
        return `These labels do not fit the model ${name}: ${message}.`;
      case "crashed":
        return `The model ${name} cannot be used: reading it broke the classifier, which was started again.`;
      default:
        return `The model ${name} cannot be used: ${message}.`;
    }
  },
};

export const library = {
  noSimd:
    "This browser is too old: the classifier needs WebAssembly SIMD and scripts in workers. Chrome and Edge have all it needs since version 111, Firefox since 114, Safari since 16.4.",
  missing: "The classifier itself (pkg/) is missing on the server. Build and serve the page with `cargo xtask serve`.",
  broken: (/** @type {string} */ message) => `The classifier does not start: ${message}.`,
};

/**
 * The tiles of the panel: a name, the figure, and what one must know to read it.
 *
 * @param {import("../shared/messages.js").LoadedNetwork} loaded
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
      note: `Input ${card.spec.input} × ${card.spec.input} pixels${card.spec.mirrored ? ", seen twice: as they are and mirrored" : ""}; shifts cost none`,
    },
  ];
}

/** @param {import("../shared/messages.js").LoadedNetwork} loaded */
export function summary({ card, metrics }) {
  const chance = percent(metrics.chancePercent, metrics.chancePercent < 1 ? 1 : 0);
  return `${card.spec.name}, trained on ${metrics.dataset}: ${card.spec.classes} classes, so guessing is right in ${chance}.`;
}

/**
 * The facts under “More about this model”.
 *
 * @param {import("../shared/messages.js").LoadedNetwork} loaded
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

/** @typedef {import("../shared/messages.js").LoadedPlain} LoadedPlain */

/** A classifier of another program, which says less about itself. */
export const plain = {
  note: (/** @type {boolean} */ named) =>
    named
      ? "This file has no model card: check how it wants its pictures."
      : "This file has no model card and no labels: open or drop a text file with one label a line, and check how it wants its pictures.",
  summary: (/** @type {LoadedPlain} */ { info }, /** @type {string} */ name) =>
    `${name}: a plain image classifier of ${info.classes} classes. Nothing is known of its accuracy.`,
  tiles: (/** @type {LoadedPlain} */ { info }) => [
    { key: "size", name: "Size of the file", value: mib(info.sizeBytes, info.sizeBytes < 2 ** 20 ? 3 : 2), note: `${number(info.sizeBytes, 0)} bytes` },
    { key: "input", name: "Input", value: `${info.side} × ${info.side}`, note: "pixels, the square in the middle" },
    { key: "operators", name: "Operators", value: number(info.operators, 0), note: info.softmax ? "ends with a softmax" : "softmax is applied here" },
  ],
  facts: (/** @type {LoadedPlain} */ { info, sha256 }) =>
    /** @type {[string, string][]} */ (
      [
        ["Classes", info.labels.length <= 30 ? info.labels.join(", ") : `${info.labels.length}`],
        ["Name of the graph", info.name],
        ["Made by", info.producer],
        ["SHA-256", sha256],
      ].filter((pair) => pair[1])
    ),
};

export const layers = {
  columns: ["Layer", "Kind", "Channels", "Pixels", "Bits", "Bytes", "Multiply-adds", "Computed by"],
  timeColumns: ["Time, ms", "Share"],
  kinds: /** @type {Record<string, string>} */ ({ stem: "convolution", pointwise: "1×1", shift: "shift", linear: "linear" }),
  none: "–",
  bits: (/** @type {number | null} */ value) => (value === null ? "float" : `${value}`),
  count: (/** @type {number} */ value) => number(value, 0),
  total: "Together",
  withNext: "the next layer",
  kernels: /** @type {Record<string, string>} */ ({ Lookup: "table look-up", Paired: "pairs of products", Wide: "wide products", Scalar: "plain loops" }),
  kernel: (/** @type {string | null | undefined} */ name) => (name ? (layers.kernels[name] ?? name) : "float"),
  time: (/** @type {number} */ value) => number(value, 3),
  share: (/** @type {number} */ value) => percent(100 * value, 1),
  partly: "Time is measured layer by layer only where all of a network runs in whole numbers; of this one, some or all runs in float.",
  timed: (/** @type {import("../shared/messages.js").LayerTimes} */ { layers: times, whole, runs, tick }) =>
    [
      `Measured on this device, on a generated picture, with the camera held: means over the fastest three quarters of ${runs} runs.`,
      `The layers took ${number(times.reduce((sum, time) => sum + time, 0), 2)} ms with the clock read between them; the network takes ${number(whole, 2)} ms without.`,
      `Scales, activations and additions are in the time of the layer before them, shifts in that of the layer behind them.`,
      `The clock of this browser counts in steps of ${Number(tick.toPrecision(1))} ms: what is shorter is right on average only.`,
    ].join(" "),
};

export const shifts = {
  note: (/** @type {number} */ staying, /** @type {number} */ all) =>
    `Every channel learned where to look. Of ${number(all, 0)} shifted channels, ${number(staying, 0)} stay in place. The stronger the colour of a cell, the more channels look there.`,
  caption: (/** @type {number} */ block, /** @type {number} */ channels) => `Block ${block + 1}: ${channels} channels`,
  /** @param {number} block @param {number[]} counts row by row @param {number} reach */
  describe(block, counts, reach) {
    const side = 2 * reach + 1;
    const most = counts.indexOf(Math.max(...counts));
    const all = counts.reduce((sum, count) => sum + count, 0);
    const [down, right] = [Math.floor(most / side) - reach, (most % side) - reach];
    return `Block ${block + 1}: ${counts[side * reach + reach]} of ${all} channels stay in place; most, ${counts[most]}, look ${down} down and ${right} to the right`;
  },
};

export const figure = {
  title: "Among other networks",
  set: "Data set",
  note: (/** @type {string} */ dataset, /** @type {number} */ chancePercent) =>
    `Published top-1 accuracies on ${dataset} and the sizes that go with them; guessing gives ${chancePercent} %. None of it was measured here.`,
  own: (/** @type {string} */ name, /** @type {number} */ top1, /** @type {number} */ mib) =>
    ` The loaded model, ${name}, was: ${figure.spot("", top1, mib)}.`,
  elsewhere: (/** @type {string} */ dataset) => ` The loaded model was measured on ${dataset} and does not compare with these.`,
  unmeasured: " The loaded model states no accuracy.",
  scatter: "Top-1 accuracy (%) over size (MiB)",
  bars: "Information density: log₁₀(top-1 % / MiB)",
  density: "It grows without bound as a network shrinks, and is not comparable across data sets: read it with accuracy and size.",
  table: "The same as a table, with sources",
  head: ["Network", "Weights", "Top-1 %", "MiB", "Density", "MiB computed here", "Source"],
  file: "this file",
  here: "measured here",
  none: "–",
  ours: (/** @type {string} */ name) => `${name}, ${figure.here}`,
  described: (/** @type {string} */ label) => `${label}. A table follows.`,
  spot: (/** @type {string} */ name, /** @type {number} */ top1, /** @type {number} */ mib) =>
    `${name && `${name}: `}${top1.toFixed(2)} % in ${figure.size(mib, false)} MiB`,
  size: (/** @type {number} */ mib, /** @type {boolean} */ about) => `${about ? "about " : ""}${mib.toPrecision(3)}`,
};

export const benchmark = {
  running: (/** @type {number} */ run, /** @type {number} */ all) => `Run ${run} of ${all}`,
  result: (/** @type {{ median: number, p95: number }} */ total, /** @type {{ median: number }} */ network, /** @type {number} */ runs) =>
    `${number(total.median, 1)} ms a picture of 640 × 480 pixels, ${number(network.median, 1)} ms of it the network; 95 % of ${runs} runs within ${number(total.p95, 1)} ms`,
  copy: "Copy as JSON",
  copied: "Copied",
  failed: (/** @type {string} */ message) => `That did not work: ${message.replace(/\.$/, "")}.`,
};

const count = (/** @type {number} */ value, /** @type {string} */ one, many = `${one}s`) => `${number(value, 0)} ${value === 1 ? one : many}`;
const pictures = (/** @type {number} */ value) => count(value, "picture");

/** The classes that the visitor teaches. */
export const teach = {
  intro:
    "Name two things or more, and show each to the camera from several sides while you hold its button. They are learned on this device in a moment.",
  plain: "This model says only what it sees, not what pictures have in common. To teach classes, choose a network of this project.",
  record: "Hold to record",
  choose: "Choose pictures…",
  removeClass: "Remove",
  nameOfClass: "Name of the class",
  recordClass: (/** @type {string} */ name) => `Hold to record ${name}`,
  chooseFor: (/** @type {string} */ name) => `Choose pictures of ${name}…`,
  removeClassCalled: (/** @type {string} */ name) => `Remove ${name}`,
  removePicture: (/** @type {number} */ index, /** @type {string} */ name) => `Remove picture ${index} of ${name}`,
  picturesOf: (/** @type {string} */ name) => `Pictures of ${name}`,
  pictures,
  more: (/** @type {number} */ value) => `and ${number(value, 0)} more`,
  added: (/** @type {string} */ name) => `Added the class ${name}.`,
  removed: "Removed one picture.",
  removedClass: (/** @type {string} */ name) => `Removed ${name} and its pictures. Undo brings them back.`,
  undone: "Undone.",
  gone: (/** @type {string} */ name) => `there is no class ${name} any more`,
  noCamera: "The camera starts. Hold the button again once you see its picture, or choose pictures instead.",
  recording: (/** @type {string} */ name) => `Recording ${name}…`,
  recorded: (/** @type {string} */ name, /** @type {number} */ value) => `Recorded ${pictures(value)} of ${name}.`,
  reading: (/** @type {number} */ files) => `Reading ${count(files, "file")}…`,
  read: (/** @type {string} */ name, /** @type {number} */ value, /** @type {number} */ unreadable) =>
    `Added ${pictures(value)} to ${name}.${unreadable ? ` ${count(unreadable, "file")} could not be read: try JPEG or PNG.` : ""}`,
  now: (/** @type {string} */ label, /** @type {number} */ probability, /** @type {boolean} */ unsure) =>
    `${unsure ? "not sure, perhaps " : ""}${label} ${Math.round(100 * probability)} %`,
  /** @param {import("../shared/messages.js").Taught} taught */
  learned: ({ state, milliseconds }) => (state.head ? `Learned in ${number(milliseconds, milliseconds < 10 ? 1 : 0)} ms.` : ""),
  /**
   * How good it is, or what is missing.
   *
   * @param {import("../shared/messages.js").Taught} taught
   */
  check({ state: { classes, labels, head, heldOut } }) {
    if (classes.length === 0) return "";
    if (!head) return "It learns as soon as two classes have pictures.";
    const few = head === "nearest-mean" ? " With ten pictures or more of every class it learns better." : "";
    if (!heldOut) return `With two pictures or more of every class it can be checked.${few}`;
    const each = heldOut.classes.length > 1 && heldOut.right < heldOut.pictures ? ` (${heldOut.classes.map((c) => `${c.label} ${c.right} of ${c.pictures}`).join(", ")})` : "";
    const chance = `guessing would get ${percent(100 / labels.length, 0)}`;
    return `${number(heldOut.right, 0)} of ${pictures(heldOut.pictures)} held back were recognised${each}; ${chance}.${few}`;
  },
  saved: "Saved as my-classes.taught. It holds what was learned, not the pictures.",
  noFile: (/** @type {string} */ name) => `${name} holds no taught classes: the name of such a file ends with .taught`,
  opened: (/** @type {string} */ name, /** @type {{ name: string, examples: number[] }[]} */ classes) =>
    `Opened ${name}: ${classes.map((c) => `${c.name} (${pictures(c.examples.length)})`).join(", ")}.`,
  /** By the codes of the library. */
  refused(/** @type {string} */ code, /** @type {string} */ message, /** @type {string} */ file, /** @type {string} */ model) {
    if (code === "other-model") return `the classes in ${file} were taught to another model than ${model}. Choose that model first`;
    return `${file} cannot be opened: ${message}`;
  },
  exported: (/** @type {number} */ here, /** @type {number} */ all) =>
    `Exported ${pictures(here)} as pictures.zip, in a folder for each class: unpack it, then lsspq train --data pictures.${here < all ? ` ${pictures(all - here)} came from a file, which has none to export.` : ""}`,
  forgetSure: "Forget all your classes and their pictures? This cannot be undone.",
  forgotten: "Forgotten.",
  failed: (/** @type {string} */ message) => `That did not work: ${message.replace(/\.$/, "")}.`,
};
