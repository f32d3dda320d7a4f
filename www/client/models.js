/** The list of published models. */

import { CodedError, MODELS_FOLDER } from "../shared/messages.js";

/** @typedef {import("../shared/messages.js").ModelEntry} ModelEntry */

/**
 * Fetches models/index.json.
 *
 * @returns {Promise<ModelEntry[]>} at least one
 * @throws {CodedError} index-missing, index-broken
 */
export async function fetchModelList() {
  const address = `${MODELS_FOLDER}index.json`;
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new CodedError("index-missing", address);
  const list = await response.json().catch(() => null);
  const models = Array.isArray(list?.models) ? list.models.filter(isEntry) : [];
  if (models.length === 0) throw new CodedError("index-broken", address);
  return models;
}

/**
 * Where a published model lies.
 *
 * @param {ModelEntry} entry
 */
export const modelAddress = (entry) => new URL(MODELS_FOLDER + entry.file, document.baseURI).href;

/** The file that the page's address asks for, as in `?model=cifar10.onnx`; null where it asks for none. */
export const modelInAddress = () => new URLSearchParams(location.search).get("model");

/** Another one answers: what the address asked for does not come back when the page is loaded again. */
export function forgetModelInAddress() {
  const address = new URL(location.href);
  if (!address.searchParams.has("model")) return;
  address.searchParams.delete("model");
  history.replaceState(history.state, "", address);
}

/** @param {any} entry */
function isEntry(entry) {
  const texts = [entry?.file, entry?.name, entry?.dataset, entry?.sha256];
  // A plain file name: the list cannot lead out of its folder.
  return texts.every((text) => typeof text === "string") && /^[\w.-]+$/.test(entry.file) && Number.isSafeInteger(entry.bytes);
}
