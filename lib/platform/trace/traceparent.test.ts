import { describe, expect, it } from "vitest";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { childSpan, formatTraceparent, parseTraceparent } from "#lib/platform/trace/traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("a traceparent", () => {
  it("gives trace, span and whether it is sampled", () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({
      trace_id: TRACE,
      span_id: SPAN,
      sampled: true,
    });
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled).toBe(false);
    expect(parseTraceparent(` 00-${TRACE}-${SPAN}-03 `)?.sampled).toBe(true);
  });

  it("of a later version is read as far as ours goes", () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`)?.span_id).toBe(SPAN);
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01.what`)).toBeUndefined();
  });

  it.each([
    undefined,
    "",
    "nonsense",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  ])("%j is malformed", (header) => expect(parseTraceparent(header)).toBeUndefined());

  it("survives being formatted and read again", () => {
    for (const flags of ["00", "01"]) {
      const header = `00-${TRACE}-${SPAN}-${flags}`;
      expect(formatTraceparent(parseTraceparent(header)!)).toBe(header);
    }
  });

  it("brings a simple tracestate along, and leaves out one that is not", () => {
    const header = `00-${TRACE}-${SPAN}-01`;
    expect(parseTraceparent(header, "a=1,b=2")?.tracestate).toBe("a=1,b=2");
    expect(parseTraceparent(header, "a=\u0007")?.tracestate).toBeUndefined();
    expect(parseTraceparent(header, "x".repeat(513))?.tracestate).toBeUndefined();
    expect(parseTraceparent("nonsense", "a=1")).toBeUndefined();
  });
});

describe("a child span", () => {
  it("keeps trace, sampling and state of its parent, and names it", () => {
    const parent = parseTraceparent(`00-${TRACE}-${SPAN}-00`, "a=1");
    const child = childSpan(parent, systemRuntime);
    expect(child).toMatchObject({
      trace_id: TRACE,
      parent_span_id: SPAN,
      sampled: false,
      tracestate: "a=1",
    });
    expect(child.span_id).not.toBe(SPAN);
  });

  it("of nobody is the sampled root of a new trace", () => {
    const root = childSpan(undefined, systemRuntime);
    expect(root).toMatchObject({ sampled: true });
    expect(root.parent_span_id).toBeUndefined();
    expect(parseTraceparent(formatTraceparent(root))?.trace_id).toBe(root.trace_id);
  });
});
