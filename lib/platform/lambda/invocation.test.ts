import middy from "@middy/core";
import { describe, expect, it } from "vitest";
import {
  beginInvocation,
  finishInvocation,
  flushSpans,
  followConfig,
  type Invocation,
  type InvocationMiddleware,
  reportCounts,
} from "#lib/platform/lambda/invocation.ts";
import { startSpan } from "#lib/platform/trace/span.ts";
import { invocationPorts, LAMBDA } from "#test/fakes/lambda-invocation.ts";

/** One invocation through this one middleware and the one that makes its last writes. */
async function invoke(
  middleware: InvocationMiddleware,
  {
    work = () => {},
    world = invocationPorts(),
  }: { work?: (call: Invocation) => void; world?: ReturnType<typeof invocationPorts> } = {},
) {
  const call = beginInvocation("service", LAMBDA, world.ports);
  const stack = middy<Invocation, string>({ timeoutEarlyInMillis: 0 })
    .use([finishInvocation(), middleware])
    .handler(async (call: Invocation) => {
      work(call);
      return "done";
    });
  const answer = await stack(call, LAMBDA as never).catch((error: unknown) => error);
  return { ...world, call, answer };
}

const failing = () => {
  throw new Error("no");
};

describe("finishInvocation", () => {
  it("waits for every last write, side by side, also after a failure", async () => {
    const ended: string[] = [];
    const writes = (call: Invocation) => {
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      call.last.push(async () => {
        await held;
        ended.push("first");
      });
      call.last.push(async () => {
        release();
        ended.push("second");
      });
    };
    expect((await invoke({ after: () => {} }, { work: writes })).answer).toBe("done");
    const { answer } = await invoke(
      { after: () => {} },
      {
        work: (call) => {
          writes(call);
          failing();
        },
      },
    );
    expect(answer).toEqual(new Error("no"));
    expect(ended).toEqual(["second", "first", "second", "first"]);
  });
});

describe("flushSpans", () => {
  const recording = ({ spans, platform }: Invocation) =>
    startSpan(undefined, { name: "work", recorder: spans.scope() }, platform.runtime).end();

  it("writes the spans that were recorded", async () => {
    const { batches } = await invoke(flushSpans(), { work: recording });
    expect(batches).toMatchObject([
      {
        service: "service",
        function_name: "function",
        invocation: "request",
        groups: [{ spans: [{ name: "work" }] }],
      },
    ]);
  });

  it("writes them when the work fails, and nothing when there is none", async () => {
    const work = (call: Invocation) => {
      recording(call);
      failing();
    };
    expect((await invoke(flushSpans(), { work })).batches).toHaveLength(1);
    expect((await invoke(flushSpans())).batches).toEqual([]);
  });
});

describe("reportCounts", () => {
  const counting = ({ counters }: Invocation) => counters.count("steps_passed", "acme", 2);

  it("writes the counts under the service and the role", async () => {
    const { written } = await invoke(reportCounts("worker"), { work: counting });
    expect(JSON.stringify(written)).toContain("steps_passed");
    expect(written[0]?.input).toMatchObject({
      TableName: "table",
      Key: { pk: expect.stringMatching(/^METRICS#\d{4}/), sk: expect.stringMatching(/^acme#/) },
    });
    expect(JSON.stringify(written)).toContain("service");
  });

  it("takes another service's name, and writes nothing when nothing was counted", async () => {
    const { written } = await invoke(reportCounts("sweeper", "orchestrator"), { work: counting });
    expect(JSON.stringify(written)).toContain("orchestrator");
    expect((await invoke(reportCounts("worker"))).written).toEqual([]);
  });
});

describe("followConfig", () => {
  const change = {
    level: "info",
    event: "CONFIG_CHANGED",
    sentence: "x",
    fields: { file: "a.json" },
  } as const;
  const following = (world: ReturnType<typeof invocationPorts>, order: string[]) => {
    world.ports.followConfig = async () => {
      order.push("followed");
      return {
        stop: (counters) => {
          counters.count("config_changed", "_platform");
          order.push("stopped");
        },
        takeChanges: () => [change],
      };
    };
    return world;
  };

  it("follows before the work, stops after it, and counts and hands on what changed", async () => {
    const order: string[] = [];
    const world = following(invocationPorts(), order);
    const seen: unknown[] = [];
    const middleware = followConfig<Invocation>(async (changes, { service }) => {
      seen.push(service, ...changes);
    });
    const { call } = await invoke(middleware, { work: () => order.push("worked"), world });
    expect(order).toEqual(["followed", "worked", "stopped"]);
    expect(seen).toEqual(["service", change]);
    expect(call.counters.entries()).toMatchObject([{ metric: "config_changed", amount: 1 }]);
  });

  it("stops when the work fails, and lets it be where configuration cannot change", async () => {
    const order: string[] = [];
    await invoke(followConfig(), { work: failing, world: following(invocationPorts(), order) });
    expect(order).toEqual(["followed", "stopped"]);
    expect((await invoke(followConfig())).answer).toBe("done");
  });
});
