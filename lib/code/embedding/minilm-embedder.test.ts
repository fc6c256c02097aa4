import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { createMinilmEmbedder, minilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

describe("minilmEmbedder", () => {
  it("puts texts of like meaning closer together than others", async () => {
    const [dog, puppy, invoice] = await minilmEmbedder().embed(["a dog", "a puppy", "pay the invoice"]);
    expect(dog).toHaveLength(384);
    expect(dot(dog!, dog!)).toBeCloseTo(1, 3);
    expect(dot(dog!, puppy!)).toBeGreaterThan(dot(dog!, invoice!) + 0.2);
  });

  it("leaves the event loop free while it works", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await minilmEmbedder().embed(Array.from({ length: 8 }, (_, i) => `function number${i}() {}`.repeat(20)));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  it("answers a short call before a long one that came first", async () => {
    const order: string[] = [];
    const long = minilmEmbedder()
      .embed(Array.from({ length: 12 }, (_, i) => `text ${i}`))
      .then(() => order.push("long"));
    const short = minilmEmbedder()
      .embed(["a query"])
      .then(() => order.push("short"));
    await Promise.all([long, short]);
    expect(order).toEqual(["short", "long"]);
  });

  it("rejects with the signal's reason when aborted, and goes on serving others", async () => {
    const controller = new AbortController();
    const reason = new Error("lease lost");
    const aborted = minilmEmbedder().embed(
      Array.from({ length: 50 }, (_, i) => `text ${i}`),
      controller.signal,
    );
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await expect(minilmEmbedder().embed(["x"], controller.signal)).rejects.toBe(reason);
    expect(await minilmEmbedder().embed(["still here"])).toHaveLength(1);
    expect(await minilmEmbedder().embed([])).toEqual([]);
  });

  it("starts its thread once when it is warmed, also while the first text comes", async () => {
    let starts = 0;
    const answers = `require("node:worker_threads").parentPort.on("message", function () { this.postMessage({ vector: new Float32Array([1]) }) })`;
    const embedder = createMinilmEmbedder(async () => {
      starts += 1;
      return new Worker(answers, { eval: true });
    });
    embedder.warm();
    const first = embedder.embed(["a"]);
    embedder.warm();
    expect(await first).toEqual([new Float32Array([1])]);
    embedder.warm();
    expect(starts).toBe(1);
  });

  it("starts its thread with the first text when it could not be warmed", async () => {
    const answers = `require("node:worker_threads").parentPort.on("message", function () { this.postMessage({ vector: new Float32Array([1]) }) })`;
    const starts = [() => Promise.reject(new Error("no")), async () => new Worker(answers, { eval: true })];
    const embedder = createMinilmEmbedder(() => (starts.shift() as () => Promise<Worker>)());
    embedder.warm();
    await new Promise(setImmediate);
    expect(await embedder.embed(["a"])).toEqual([new Float32Array([1])]);
  });

  it("fails what was waiting when its thread dies, and starts another for the next call", async () => {
    const bodies = [
      `process.exit(3)`,
      `require("node:worker_threads").parentPort.on("message", function () { this.postMessage({ vector: new Float32Array([1]) }) })`,
    ];
    const embedder = createMinilmEmbedder(async () => new Worker(bodies.shift() ?? "", { eval: true }));
    await expect(embedder.embed(["a"])).rejects.toMatchObject({
      code: "EMBEDDER_FAILED",
      disposition: "retry",
    });
    expect(await embedder.embed(["b"])).toEqual([new Float32Array([1])]);
  });
});
