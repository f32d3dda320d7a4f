/**
 * The service worker: keeps the page on the device, so that it works without a network.
 *
 * `files.js` lists every file of this version with its SHA-256; building or serving the site writes it. A file is kept
 * under its address and its hash, and is kept only if it has that hash: versions never mix, and what did not change is
 * not fetched again. A new version waits until the page asks it to take over.
 */
// @ts-nocheck: its global object is another one than the page's.

// Sets `SITE`: `files` by their addresses, and whether the site is being developed: then the network comes first.
importScripts("files.js");

const CACHE = "lsspq";
const HOME = "index.html";

/** A module of one function with an instruction of relaxed SIMD, by which pkg/lsspq.js chooses too. */
const RELAXED_SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  ...[1, 5, 1, 96, 0, 1, 123],
  ...[3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2, 11],
);

/** The module that this browser never loads. */
const UNUSED = WebAssembly.validate(RELAXED_SIMD) ? "pkg/lsspq_bg.wasm" : "pkg/lsspq_relaxed_bg.wasm";

/** Models are kept when they were used: a visitor needs one of them. */
const atOnce = (path) => !path.endsWith(".onnx") && path !== UNUSED;

const key = (path) => new URL(`${path}?sha256=${SITE.files[path]}`, registration.scope).href;

/** The file's path in the list, or null for anything else. */
function pathOf(address) {
  const url = new URL(address);
  if (!url.href.startsWith(registration.scope)) return null;
  const path = decodeURIComponent(url.pathname.slice(new URL(registration.scope).pathname.length)) || HOME;
  return path in SITE.files ? path : null;
}

/** The file of this version, from the cache or else from the network; it is kept. */
async function keep(path) {
  const cache = await caches.open(CACHE);
  const known = await cache.match(key(path));
  if (known) return known;
  const response = await fetch(path === HOME ? "./" : path, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const bytes = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (sha256 !== SITE.files[path]) throw new Error(`${path} is of another version`);
  const headers = new Headers(response.headers);
  // These were about the transfer.
  headers.delete("Content-Encoding");
  headers.set("Content-Length", String(bytes.byteLength));
  await cache.put(key(path), new Response(bytes, { headers }));
  return new Response(bytes, { headers });
}

/** Forgets the files of other versions. */
async function tidy() {
  const cache = await caches.open(CACHE);
  const wanted = new Set(Object.keys(SITE.files).map(key));
  const kept = await cache.keys();
  await Promise.all(kept.filter(({ url }) => !wanted.has(url)).map((request) => cache.delete(request)));
}

/** Pages of the old version that are open elsewhere go on as they are: what they run is loaded. They are told. */
async function tellOthers(asker) {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) if (page.id !== asker && page.url.startsWith(registration.scope)) page.postMessage("replaced");
}

self.addEventListener("install", (event) => {
  event.waitUntil(Promise.all(Object.keys(SITE.files).filter(atOnce).map(keep)));
  if (SITE.development) skipWaiting();
});

self.addEventListener("activate", (event) => event.waitUntil(tidy().then(() => clients.claim())));

self.addEventListener("message", (event) => {
  if (event.data === "take-over") {
    event.waitUntil(tellOthers(event.source?.id));
    skipWaiting();
  } else if (event.data?.keep) {
    const path = pathOf(event.data.keep);
    const kept = path ? keep(path) : Promise.reject(new Error("not of this site"));
    event.waitUntil(kept.then(() => event.ports[0].postMessage("kept")).catch(() => event.ports[0].postMessage("failed")));
  }
});

self.addEventListener("fetch", (event) => {
  const path = event.request.method === "GET" ? pathOf(event.request.url) : null;
  if (path === null) return;
  if (SITE.development) event.respondWith(fetch(event.request).catch(() => keep(path)));
  // A file that is neither kept nor on the server any more: let the server say so.
  else event.respondWith(keep(path).catch(() => fetch(event.request)));
});
