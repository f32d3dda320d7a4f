/** Serves what the pages load: the library, onnxruntime-web, the models, and the pages themselves. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const TYPES = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
  [".wasm", "application/wasm"],
]);

/** Isolation from other pages gives the clock its full precision. */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/**
 * The bytes as a static host would send them: compressed as far as brotli goes.
 *
 * @param {Buffer} bytes
 */
export const brotli = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });

/**
 * @typedef {object} Site
 * @property {string} address
 * @property {(on: boolean) => void} compress whether answers are compressed from now on
 * @property {() => void} close
 */

/**
 * @param {Record<string, string>} folders by the first part of the address
 * @param {(file: string) => Promise<Buffer>} compressed the file's bytes in brotli
 * @returns {Promise<Site>}
 */
export async function serve(folders, compressed) {
  let compressing = false;
  const server = createServer(async (request, response) => {
    const [, mount, ...rest] = new URL(request.url ?? "/", "http://x").pathname.split("/");
    const folder = folders[mount];
    const file = folder && path.join(folder, ...rest);
    if (!file?.startsWith(folder + path.sep)) return void response.writeHead(404).end();
    try {
      const encode = compressing && /\bbr\b/.test(request.headers["accept-encoding"] ?? "");
      const bytes = await (encode ? compressed(file) : readFile(file));
      response.writeHead(200, {
        ...HEADERS,
        ...(encode && { "content-encoding": "br" }),
        "content-type": TYPES.get(path.extname(file)) ?? "application/octet-stream",
        "content-length": bytes.length,
      });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { address: `http://127.0.0.1:${port}/`, compress: (on) => void (compressing = on), close };
}
