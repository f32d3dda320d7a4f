/** The page without a network: its service worker, and the note that a newer version is there. */

import { element } from "./dom.js";
import { offline as words } from "./strings.js";

/**
 * Installs the service worker once the page has what it needs, so that the two do not compete for the line.
 *
 * @param {import("./notice.js").Notice} notice
 * @param {string | null} model address of the model that answers: it is kept for the next visit as well
 */
export async function workOffline(notice, model) {
  const container = navigator.serviceWorker;
  // Only over https and from this computer; never where the browser forbids it, as in some private windows.
  const registration = await container?.register("sw.js", { updateViaCache: "none" }).catch(() => null);
  if (!registration) return;
  offerUpdate(registration, notice);
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", () => offerUpdate(registration, notice));
  });
  const { active } = await container.ready;
  if (!active || !model) return;
  const channel = new MessageChannel();
  channel.port1.onmessage = ({ data }) => {
    if (data !== "kept") return;
    element("offline", HTMLElement).textContent = words.ready;
    document.body.dataset.offline = "ready";
  };
  active.postMessage({ keep: model }, [channel.port2]);
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
