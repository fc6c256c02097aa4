import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  createMinilmEmbedder,
  minilmEmbedder,
  startMinilmEngine,
} from "#lib/code/embedding/minilm-embedder.ts";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";

/** A process that runs `program` in the engine's place. */
const engineOf = (program: string) =>
  spawnProgram(process.execPath, ["-e", program], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
const ANSWERS = `process.on("message", () => process.send({ vector: new Float32Array([1]) }))`;

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

  it("starts its engine once when it is warmed, also while the first text comes", async () => {
    let starts = 0;
    const embedder = createMinilmEmbedder(async () => {
      starts += 1;
      return engineOf(ANSWERS);
    });
    embedder.warm();
    const first = embedder.embed(["a"]);
    embedder.warm();
    expect(await first).toEqual([new Float32Array([1])]);
    embedder.warm();
    expect(starts).toBe(1);
  });

  it("starts its engine with the first text when it could not be warmed", async () => {
    const starts = [() => Promise.reject(new Error("no")), async () => engineOf(ANSWERS)];
    const embedder = createMinilmEmbedder(() =>
      (starts.shift() as () => Promise<ReturnType<typeof engineOf>>)(),
    );
    embedder.warm();
    await new Promise(setImmediate);
    expect(await embedder.embed(["a"])).toEqual([new Float32Array([1])]);
  });

  it("fails what was waiting when its engine dies, and starts another for the next call", async () => {
    const programs = [`process.on("message", () => process.exit(3))`, ANSWERS];
    const embedder = createMinilmEmbedder(async () => engineOf(programs.shift() ?? ""));
    await expect(embedder.embed(["a"])).rejects.toMatchObject({
      code: "EMBEDDER_FAILED",
      disposition: "retry",
    });
    expect(await embedder.embed(["b"])).toEqual([new Float32Array([1])]);
  });

  it("loads the model before the first text, and ends with the process that started it", async () => {
    const engine = await startMinilmEngine();
    const exited = once(engine, "exit");
    const residentMegabytes = () => {
      const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid}/status`, "utf8")) ?? [];
      return Number(kilobytes) / 1024;
    };
    await expect.poll(residentMegabytes, { timeout: 60_000 }).toBeGreaterThan(150);
    engine.disconnect();
    expect(await exited).toEqual([0, null]);
  });
});
