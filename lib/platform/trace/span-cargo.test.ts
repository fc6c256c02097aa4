import { describe, expect, it } from "vitest";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { invocationSpans } from "#lib/platform/trace/invocation-spans.ts";
import { packSpans, unpackSpans } from "#lib/platform/trace/pack-spans.ts";
import { inSpan, startSpan } from "#lib/platform/trace/span.ts";
import { loadSpans } from "#lib/platform/trace/span-cargo.ts";
import type { SpanBatch } from "#lib/platform/trace/task-spans.ts";
import type { SpanAttributes } from "#schemas/records/span.ts";
import { fakeLog } from "#test/fakes/agent-context.ts";

const TASK = { tenant: "acme", task_id: "task_1" };
const runtime = systemRuntime;

/** The spans of an invocation, and what its end hands to a sink that takes what is left. */
function invocation() {
  const left: SpanBatch[] = [];
  const sink = {
    name: "table",
    takes: "left" as const,
    write: async (batch: SpanBatch) => void left.push(batch),
  };
  const facts = { service: "codegen", function_name: "f", invocation: "i", runtime };
  const spans = invocationSpans({ ...facts, log: fakeLog([], {}), sinks: [sink] });
  const root = startSpan(
    undefined,
    { name: "process codegen", kind: "consumer", recorder: spans.scope(TASK) },
    runtime,
  );
  const names = () =>
    left.flatMap(({ groups }) => groups.flatMap((group) => group.spans.map(({ name }) => name)));
  return { root, flush: () => spans.flush(60_000), names };
}

const unpacked = (packs: string[]) => packs.flatMap(unpackSpans);

describe("the spans on a write", () => {
  it("are those that have ended, and those that are open with their time until then", async () => {
    const { root } = invocation();
    await inSpan(root, { name: "run", attributes: { "agents.attempt": 1 } }, runtime, async () => undefined);
    const completing = startSpan(root, { name: "complete" }, runtime);
    const cargo = loadSpans(completing);
    const spans = unpacked(cargo?.carried.packs ?? []);
    expect(spans.map(({ name, open }) => [name, open]).sort()).toEqual([
      ["complete", true],
      ["process codegen", true],
      ["run", undefined],
    ]);
    expect(new Set(spans.map(({ invocation: by, service }) => `${by} ${service}`))).toEqual(
      new Set(["i codegen"]),
    );
    expect(cargo?.left_out).toBe(0);
  });

  it("are added to what the item has, and nothing is where nothing is recorded", () => {
    const { root } = invocation();
    const kept = { packs: ["1:older"], left_out: 2 };
    expect(loadSpans(root, kept)?.carried).toEqual({ packs: ["1:older", expect.any(String)], left_out: 2 });
    expect(loadSpans(undefined, kept)).toBeUndefined();
    expect(loadSpans({ ...root, recorder: undefined })).toBeUndefined();
    expect(loadSpans({ ...root, sampled: false })).toBeUndefined();
  });

  it("are bounded: what does not fit is counted, and what makes the tree stays", async () => {
    const { root } = invocation();
    for (let n = 0; n < 300; n += 1) {
      const attributes: SpanAttributes = { text: runtime.hex(400) };
      await inSpan(root, { name: `part ${n}`, attributes }, runtime, async () => undefined);
    }
    const cargo = loadSpans(root);
    const spans = unpacked(cargo?.carried.packs ?? []);
    expect(JSON.stringify(cargo?.carried).length).toBeLessThan(5_000);
    expect(spans.some(({ name }) => name === "process codegen")).toBe(true);
    expect(cargo?.carried.left_out).toBe(301 - spans.length);
    const full = loadSpans(root, { packs: ["x".repeat(12_000)] });
    expect(full).toMatchObject({ pack: undefined, left_out: 301 });
  });

  it("need no write of their own at the end, if the write took effect", async () => {
    const { root, flush, names } = invocation();
    const cargo = loadSpans(root);
    cargo?.delivered();
    root.end();
    await flush();
    expect(names()).toEqual([]);
    const refused = invocation();
    loadSpans(refused.root);
    refused.root.end();
    await refused.flush();
    expect(refused.names()).toEqual(["process codegen"]);
  });

  it("are written by themselves when one has failed, or one has begun, since the write", async () => {
    const failed = invocation();
    loadSpans(failed.root)?.delivered();
    failed.root.fail("NUDGE_LOST", "the queue does not answer");
    failed.root.end();
    await failed.flush();
    expect(failed.names()).toEqual(["process codegen"]);
    const later = invocation();
    loadSpans(later.root)?.delivered();
    await inSpan(later.root, { name: "forward codegen", kind: "producer" }, runtime, async () => undefined);
    later.root.end();
    await later.flush();
    expect(later.names()).toEqual(["forward codegen", "process codegen"]);
  });
});

describe("a pack", () => {
  it("of three spans is short, and a damaged or unknown one has no spans", () => {
    const { root } = invocation();
    startSpan(root, { name: "advance", attributes: { "agents.decision": "dispatch" } }, runtime);
    startSpan(root, { name: "send codegen", kind: "producer" }, runtime);
    const pack = loadSpans(root)?.pack ?? "";
    expect(pack.length).toBeLessThan(450);
    expect(unpackSpans(pack)).toHaveLength(3);
    expect(unpackSpans(`${pack.slice(0, -20)}`)).toEqual([]);
    expect(unpackSpans(pack.replace("1:", "2:"))).toEqual([]);
    expect(unpackSpans(packSpans("i", [{ nonsense: true } as never]))).toEqual([]);
  });
});
