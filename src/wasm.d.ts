/** RGBA pixels, row by row from the top left, four bytes each, as `ImageData.data` holds them. */
export type Pixels = Uint8ClampedArray | Uint8Array;

/** The `code` of a thrown error. */
export type ClassifierErrorCode =
  | "not-a-model"
  | "too-large"
  | "metadata"
  | "unsupported"
  | "picture"
  | "inference";

/** What `Classifier` throws. */
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
  groups: { width: number; blocks: number; stride: number; expansion: number; weight_bits?: number }[];
  head?: { channels: number };
  bits: { weights?: number; linear?: number; activations?: number };
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
  kind: "stem" | "pointwise" | "shift" | "norm" | "linear";
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
  /** `null` is 32-bit float, or a layer without weights. */
  bits: number | null;
  multiplyAdds: number;
  floatParameters: number;
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
