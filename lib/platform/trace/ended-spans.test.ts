import { describe, expect, it } from "vitest";
import { endedSpans } from "#lib/platform/trace/ended-spans.ts";
import { keptSpan } from "#test/fakes/kept-span.ts";

const open = true as const;
const endOf = (spans: ReturnType<typeof endedSpans>, name: string) =>
  spans.find((span) => span.name === name)?.end_ms;

describe("the end of a span that was written before it", () => {
  it("is that of its version that ended, whichever came first", () => {
    const ended = keptSpan("run", undefined, [0, 90]);
    const early = keptSpan("run", undefined, [0, 50], { open });
    for (const versions of [
      [ended, early],
      [early, ended],
    ]) {
      expect(endedSpans(versions)).toEqual([ended]);
    }
  });

  it("is the last one known where it never was written", () => {
    const [first, last] = [50, 70].map((end) => keptSpan("run", undefined, [0, end], { open }));
    expect(endOf(endedSpans([last!, first!]), "run")).toBe(70);
  });

  it("is no earlier than those below it of the same invocation, however deep", () => {
    const invocation = "one";
    const spans = endedSpans([
      keptSpan("process", undefined, [0, 50], { open, invocation }),
      keptSpan("advance", "process", [10, 50], { open, invocation }),
      keptSpan("seal", "advance", [20, 80], { invocation }),
      keptSpan("other", "process", [60, 500]),
    ]);
    expect(endOf(spans, "advance")).toBe(80);
    expect(endOf(spans, "process")).toBe(80);
    expect(spans.every((span) => !("open" in span))).toBe(true);
  });

  it("of a sending is when the queue had the message, by its first receiver's clock", () => {
    const sender = { open, invocation: "one" };
    const spans = endedSpans([
      keptSpan("advance", undefined, [0, 40], sender),
      keptSpan("send", "advance", [30, 40], { ...sender, kind: "producer" }),
      keptSpan("process", "send", [100, 200], {
        kind: "consumer",
        attributes: { "agents.queue.wait_ms": 35 },
      }),
    ]);
    expect(endOf(spans, "send")).toBe(65);
    expect(endOf(spans, "advance")).toBe(65);
  });

  it("leaves alone what has ended, and spans that name each other as parents", () => {
    const ended = keptSpan("process", undefined, [0, 50], { invocation: "one" });
    expect(
      endOf(endedSpans([ended, keptSpan("run", "process", [10, 90], { invocation: "one" })]), "process"),
    ).toBe(50);
    const round = [
      keptSpan("a", "b", [0, 5], { open, invocation: "one" }),
      keptSpan("b", "a", [0, 9], { open, invocation: "one" }),
    ];
    expect(endOf(endedSpans(round), "a")).toBe(9);
  });
});
