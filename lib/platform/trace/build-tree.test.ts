import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeptSpan } from "#lib/platform/trace/task-spans.ts";
import { buildTree, type TreeSpan } from "#lib/platform/trace/trace-tree.ts";
import { FAKE_TRACE, keptSpan, spanId } from "#test/fakes/kept-span.ts";

const build = (spans: KeptSpan[]) =>
  buildTree({ trace_id: FAKE_TRACE, span_id: spanId("root"), started_ms: 100 }, spans);
const all = (node: TreeSpan): TreeSpan[] => [node, ...node.children.flatMap(all)];
/** `root(a(b)c)` */
const drawn = ({ span, children }: TreeSpan): string =>
  `${span.name}${children.length > 0 ? `(${children.map(drawn).join(" ")})` : ""}`;

describe("the tree of a trace", () => {
  it("hangs every span below its parent, siblings by their start", () => {
    const tree = build([
      keptSpan("second", "root", [130, 140]),
      keptSpan("inner", "first", [115, 118]),
      keptSpan("first", "root", [110, 120]),
      keptSpan("root", undefined, [100, 150]),
    ]);
    expect(drawn(tree)).toBe("root(first(inner) second)");
    expect(all(tree).some(({ lost, parent_lost }) => lost || parent_lost)).toBe(false);
  });

  it("of which only the root got lost has a stand-in for it", () => {
    const tree = build([keptSpan("first", "root", [110, 120])]);
    expect(drawn(tree)).toBe("POST /api/tasks(first)");
    expect([tree.lost, tree.start_ms, tree.children[0]?.parent_lost]).toEqual([true, 100, false]);
  });

  it("hangs a span whose parent got lost below its grandparent, else below the root", () => {
    const tree = build([
      keptSpan("root", undefined, [100, 150]),
      keptSpan("hop", "root", [110, 120]),
      keptSpan("known", "lost", [130, 140], { grandparent_span_id: spanId("hop") }),
      keptSpan("stray", "lost", [135, 140], { grandparent_span_id: spanId("lost2") }),
    ]);
    expect(drawn(tree)).toBe("root(hop(known) stray)");
    expect(all(tree).filter(({ parent_lost }) => parent_lost)).toHaveLength(2);
  });

  it("moves an invocation whose clock is behind to where it can have begun, all of it alike", () => {
    const tree = build([
      keptSpan("root", undefined, [1000, 1050]),
      keptSpan("process", "root", [400, 500], { invocation: "slow clock" }),
      keptSpan("claim", "process", [410, 420], { invocation: "slow clock" }),
      keptSpan("next", "claim", [1100, 1200]),
    ]);
    const [process] = tree.children;
    const claim = process?.children[0];
    expect([process?.start_ms, process?.end_ms, process?.clock_skew_ms]).toEqual([1000, 1100, 600]);
    expect([claim?.start_ms, claim?.clock_skew_ms]).toEqual([1010, 600]);
    expect([claim?.children[0]?.start_ms, claim?.children[0]?.clock_skew_ms]).toEqual([1100, 0]);
  });

  it("shows a request that the client repeated below the first", () => {
    const tree = build([keptSpan("root", "client", [100, 150]), keptSpan("again", "client", [200, 210])]);
    expect(drawn(tree)).toBe("root(again)");
    expect(tree.children[0]?.parent_lost).toBe(false);
  });

  it("leaves out other traces, and a span written twice", () => {
    const span = keptSpan("first", "root", [110, 120]);
    const other = keptSpan("other", "root", [110, 120], { trace_id: "b".repeat(32) });
    expect(drawn(build([span, other, span]))).toBe("POST /api/tasks(first)");
  });

  it("holds every span once, none before its parent, whatever was lost, damaged or skewed", () => {
    const names = ["root", "a", "b", "c", "d", "e", "gone"];
    const anySpan = fc.record({
      name: fc.constantFrom(...names.slice(0, -1)),
      parent: fc.option(fc.constantFrom(...names), { nil: undefined }),
      grandparent: fc.option(fc.constantFrom(...names), { nil: undefined }),
      start: fc.integer({ min: 0, max: 1000 }),
      invocation: fc.constantFrom("one", "two", "three"),
    });
    fc.assert(
      fc.property(fc.array(anySpan, { maxLength: 12 }), (drafts) => {
        const spans = drafts.map(({ name, parent, grandparent, start, invocation }) =>
          keptSpan(name, parent, [start, start + 10], {
            invocation,
            ...(grandparent && { grandparent_span_id: spanId(grandparent) }),
          }),
        );
        const nodes = all(build(spans));
        const ids = nodes.map(({ span }) => span.span_id).sort();
        expect(ids).toEqual([...new Set([spanId("root"), ...spans.map(({ span_id }) => span_id)])].sort());
        for (const node of nodes) {
          for (const child of node.children) {
            const same_clock = child.span.invocation === node.span.invocation;
            if (!same_clock) expect(child.start_ms).toBeGreaterThanOrEqual(node.start_ms);
          }
        }
      }),
    );
  });
});
