/** RGBA pixels, row by row from the top left, four bytes each, as `ImageData.data` holds them. */
export type Pixels = Uint8ClampedArray | Uint8Array;

/** The `code` of a thrown error. */
export type ClassifierErrorCode =
  | "not-a-model"
  | "too-large"
  | "no-card"
  | "metadata"
  | "unsupported"
  | "labels"
  | "picture"
  | "inference"
  | "classes"
  | "taught"
  | "other-model";

/** What `Classifier`, `Teacher` and `PlainClassifier` throw. */
export interface ClassifierError extends Error {
  code: ClassifierErrorCode;
}

/** One class and how likely it is. */
export interface Prediction {
  /** Position among the labels. */
  index: number;
  label: string;
  /** In [0, 1]; all classes sum to 1. */
  probability: number;
}

/** The likeliest classes, the likeliest first, and where the time went. */
export interface Classification {
  predictions: Prediction[];
  milliseconds: { preprocess: number; inference: number; total: number };
  /** What the network saw, red, green and blue planes `[3, S, S]` in [0, 1], where it was asked for. */
  input?: Float32Array;
}

/** As `Classification`, and the likeliest of the taught classes; none before two of them were trained. */
export interface TaughtClassification extends Classification {
  taught: Prediction[];
}

/** What was taught, and what is known of the head that was trained last. */
export interface TaughtState {
  /** In their order; `examples` are the numbers that `Teacher.add` gave. */
  classes: { name: string; examples: number[] }[];
  canUndo: boolean;
  /** The nearest class mean below ten pictures in some class, multinomial logistic regression from ten on; `null` without a head. */
  head: "nearest-mean" | "logistic" | null;
  /** The classes that the head tells apart: those that have pictures. */
  labels: string[];
  /** The least probability of an answer that is called sure. */
  threshold: number;
  /** How many pictures were recognised by heads trained without them; `null` where a class has one picture only. */
  heldOut: { right: number; pictures: number; classes: { label: string; right: number; pictures: number }[] } | null;
}

/** What a plain classifier expects of its numbers: 0 to 1, or ImageNet's mean and deviation taken off. */
export type Normalisation = "unit" | "imagenet";

/** What is known of a plain classifier. */
export interface PlainInfo {
  /** Name of the graph, or an empty text. */
  name: string;
  producer: string;
  /** Height and width of the input in pixels. */
  side: number;
  classes: number;
  labels: string[];
  /** Whether the metadata or the caller named the classes. */
  named: boolean;
  normalisation: Normalisation;
  /** Whether the network itself ends with a softmax. */
  softmax: boolean;
  sizeBytes: number;
  operators: number;
}

/** Of `images` validation pictures `answered` reached the threshold, and `right` of those were right. */
export interface Calibration {
  /** The least probability of an answer that is called sure. */
  threshold: number;
  images: number;
  answered: number;
  right: number;
}

/** How often a network was right on how many pictures. */
export interface Accuracy {
  images: number;
  top1: number;
  top5: number;
}

/** A network as data. Absent bits are 32-bit float. */
export interface NetworkSpec {
  name: string;
  /** Height and width of the input in pixels. */
  input: number;
  classes: number;
  stem: { kernel: number; channels: number; stride: number; pool: boolean };
  /** Without a `block`, L-SSPQ's shift block. */
  groups: { width: number; blocks: number; stride: number; expansion: number; weight_bits?: number; block?: { kind: string } }[];
  head?: { channels: number; features?: number };
  bits: { weights?: number; linear?: number; activations?: number };
  /** What stands behind BatchNorms; without one, `clip`. */
  activation?: "clip" | "relu" | "relu6" | "hard-swish";
  /** Whether features are the mean over the picture and its mirror image, for twice the work. */
  mirrored?: boolean;
}

/** What a model file says about itself, with the names of its metadata. */
export interface ModelCard {
  format: number;
  spec: NetworkSpec;
  labels: string[];
  dataset: string;
  accuracy?: Accuracy;
  float_twin?: Accuracy;
  stages?: { epochs: number; weights?: number; activations?: number; validation?: Accuracy }[];
  calibration?: Calibration;
  /** The resolved recipe as TOML. */
  recipe: string;
  seed: number;
  licence: string;
  provenance: string;
}

/** A share in percent with its 95 % interval. */
export interface Rate {
  percent: number;
  low: number;
  high: number;
}

export interface Rates {
  images: number;
  top1: Rate;
  top5: Rate;
}

/** All figures of one model file; `null` where the file does not state what they need. */
export interface Metrics {
  dataset: string;
  chancePercent: number;
  accuracy: Rates | null;
  floatTwinAccuracy: Rates | null;
  /** Top-1 of the float twin less that of this file. */
  lossPoints: number | null;
  sizeBytes: number;
  /** 2^20 bytes. */
  sizeMib: number;
  /** Packed weights alone. */
  weightsBytes: number;
  floatTwinBytes: number;
  floatTwinMib: number;
  floatTwinRatio: number;
  multiplyAdds: number;
  /** log10(top-1 percent / MiB): show it only beside accuracy, size, data set and chance. */
  informationDensity: number | null;
}

export interface Layer {
  name: string;
  kind: "stem" | "pointwise" | "shift" | "norm" | "convolution" | "depthwise" | "linear";
  /** Channels. */
  input: number;
  /** Channels. */
  output: number;
  kernel: number;
  /** Pixels. */
  sideIn: number;
  /** Pixels. */
  sideOut: number;
  weights: number;
  /** Bytes of the packed weights. */
  weightsBytes: number;
  /** `null` is 32-bit float, or a layer without weights. */
  bits: number | null;
  multiplyAdds: number;
  floatParameters: number;
}

/** One shift layer: every channel shows what lies at its displacement, down and to the right in pixels. */
export interface Shift {
  name: string;
  /** The farthest that a displacement reaches. */
  reach: number;
  displacements: [number, number][];
}

/** One layer and how it runs. */
export interface PlannedLayer {
  /** Name of its node in the file. */
  name: string;
  /** Such as `stem`, `pointwise`, `shift + pointwise`; the ONNX operator where it was not recognised. */
  operator: string;
  /** The kernel of whole numbers; `null` where it runs in float. */
  kernel: string | null;
  /** Why it runs in float; `null` where it does not. */
  reason: string | null;
}
