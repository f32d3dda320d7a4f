/** The page without a network: its service worker, and the note that a newer version is there. */

import { element } from "./dom.js";
import { offline as words } from "./strings.js";

/** How long a version that was just installed may take to become the active one by itself, in milliseconds. */
const SETTLE_MS = 1000;

/** @type {Promise<ServiceWorkerRegistration | null> | null} */
let installed = null;

/**
 * Installs the service worker once the page has what it needs, so that the two do not compete for the line.
 *
 * @param {import("./notice.js").Notice} notice
 * @param {string | null} model address of the model that answers: it is kept for the next visit as well
 */
export async function workOffline(notice, model) {
  const registration = await (installed ??= install(notice));
  if (!registration) return;
  const { active } = await navigator.serviceWorker.ready;
  if (!active || !model) return;
  const channel = new MessageChannel();
  channel.port1.onmessage = ({ data }) => {
    channel.port1.close();
    if (data !== "kept") return;
    element("offline", HTMLElement).textContent = words.ready;
    document.body.dataset.offline = "ready";
  };
  active.postMessage({ keep: model }, [channel.port2]);
}

/** @param {import("./notice.js").Notice} notice */
async function install(notice) {
  // Only over https and from this computer; never where the browser forbids it, as in some private windows.
  const registration = await navigator.serviceWorker?.register("sw.js", { updateViaCache: "none" }).catch(() => null);
  if (!registration) return null;
  offerUpdate(registration, notice);
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data === "replaced") notice.show("update", words.replaced, { label: words.reload, act: () => location.reload() });
  });
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", () => setTimeout(() => offerUpdate(registration, notice), SETTLE_MS));
  });
  return registration;
}

/**
 * @param {ServiceWorkerRegistration} registration
 * @param {import("./notice.js").Notice} notice
 */
function offerUpdate({ waiting, active }, notice) {
  // The first version has nothing to replace.
  if (!waiting || !active) return;
  const act = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    waiting.postMessage("take-over");
  };
  notice.show("update", words.update, { label: words.reload, act });
}
