/** The visitor's own models, kept in this browser. Where it keeps nothing, as in a private window, they last one visit. */

import { KeptStore } from "./kept-store.js";

/** @typedef {import("../shared/messages.js").PlainOptions} PlainOptions */
/** @typedef {{ sha256: string, name: string, blob: Blob, plain: PlainOptions }} KeptModel */

/** @type {KeptStore<KeptModel>} */
export const ownModels = new KeptStore("lsspq", "models");
