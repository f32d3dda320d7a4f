/** What was taught, kept in this browser, one record a model. Where it keeps nothing, as in a private window, it lasts one visit. */

import { KeptStore } from "../kept-store.js";

/**
 * `bytes` is the file of the library; `pictures` are those of its examples, in its order, null where there is none.
 *
 * @typedef {{ sha256: string, bytes: Uint8Array<ArrayBuffer>, pictures: (Blob | null)[] }} KeptClasses
 */

/** @type {KeptStore<KeptClasses>} */
export const taughtClasses = new KeptStore("lsspq-taught", "classes");
