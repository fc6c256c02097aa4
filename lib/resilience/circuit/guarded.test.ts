import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { guarded } from "#lib/resilience/circuit/dependency-guard.ts";
import { circuitFleet, fails, request } from "#test/fakes/circuit-fleet.ts";

const context = { getRemainingTimeInMillis: () => 10_000 } as Context;

describe("a handler behind a circuit", () => {
  it("runs, and its failures open the circuit; then it is not run any more", async () => {
    const fleet = circuitFleet(1, { consecutive_failures_open: 2 });
    const guard = fleet.guards[0]!;
    let runs = 0;
    let broken = false;
    const handler = middy(async () => {
      runs += 1;
      return broken ? fails() : "answer";
    }).use(guarded({ guard, call: () => request() }));
    expect(await handler({}, context)).toBe("answer");
    broken = true;
    for (let turn = 0; turn < 2; turn += 1) {
      await fleet.advance(1100);
      await expect(handler({}, context)).rejects.toMatchObject({ code: "MODEL_UNAVAILABLE" });
    }
    await expect(handler({}, context)).rejects.toMatchObject({ code: "CIRCUIT_OPEN" });
    expect(runs).toBe(3);
  });

  it("runs unguarded for an event that needs no guard", async () => {
    const fleet = circuitFleet(1);
    const handler = middy(async () => "answer").use(
      guarded({ guard: fleet.guards[0]!, call: () => undefined }),
    );
    expect(await handler({}, context)).toBe("answer");
    expect(fleet.writes + fleet.reads).toBe(0);
  });
});
