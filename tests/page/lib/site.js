/** A published site that a test can change: the served page, as `cargo xtask build` would lay it out. */

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { PAGE } from "./browser.js";

/**
 * Serves the page under another address, with some of its files replaced.
 *
 * @returns {Promise<{ address: string, publish: (changes: Record<string, string>) => void, stop: () => Promise<void> }>}
 *   `publish` puts a new version there: files with other contents than those of the page
 */
export async function publishedSite() {
  /** @type {Record<string, string>} */
  let changed = {};
  const server = createServer(async (request, answer) => {
    const path = (request.url ?? "/").split("?")[0].slice(1) || "index.html";
    const original = await fetch(new URL(path, PAGE));
    const headers = { "Content-Type": original.headers.get("Content-Type") ?? "", "Cache-Control": "no-cache" };
    let body = Buffer.from(await original.arrayBuffer());
    if (path === "files.js") body = Buffer.from(published(body.toString(), changed));
    else if (path in changed) body = Buffer.from(changed[path]);
    answer.writeHead(original.status, { ...headers, "Content-Length": body.length }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://127.0.0.1:${port}/`, publish: (changes) => void (changed = changes), stop };
}

/** @param {string} script @param {Record<string, string>} changed */
function published(script, changed) {
  const site = JSON.parse(script.slice(script.indexOf("{"), script.lastIndexOf("}") + 1));
  site.development = false;
  for (const [path, text] of Object.entries(changed)) site.files[path] = createHash("sha256").update(text).digest("hex");
  return `self.SITE = ${JSON.stringify(site)};`;
}
