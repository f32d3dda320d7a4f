/** Where things are. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const SAMPLES = path.join(ROOT, "www/samples");
export const MODEL = path.join(ROOT, "www/models/cifar10.onnx");

/** What `www/models/index.json` lists, the page's own choice first. @type {import("../../../www/shared/messages.js").ModelEntry[]} */
export const PUBLISHED = JSON.parse(readFileSync(path.join(ROOT, "www/models/index.json"), "utf8")).models;

/** Real test pictures in class folders, where the variable `LSSPQ_DATA` says that they are. */
export const TEST_PICTURES = process.env.LSSPQ_DATA && path.join(process.env.LSSPQ_DATA, "cifar10-images/test");

/** The photographs of Tiny-ImageNet, where `LSSPQ_DATA` says that they are. */
export const PHOTOGRAPHS = process.env.LSSPQ_DATA && path.join(process.env.LSSPQ_DATA, "tiny-imagenet-200");

/** An empty folder outside the project that goes away with the process: pictures of data sets may lie there. */
export const SCRATCH = mkdtempSync(path.join(tmpdir(), "lsspq-page-"));
process.on("exit", () => rmSync(SCRATCH, { recursive: true, force: true }));
