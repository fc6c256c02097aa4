import { describe, expect, it } from "vitest";
import type { StepRecord } from "#schemas/records/step.ts";
import type { Mutation } from "./engine/mutation.ts";
import type { World } from "./engine/world.ts";
import { type SeedOptions, type SeedResult, simulateSeed } from "./simulate-seed.ts";
import type { Client } from "./workload/client.ts";
import { QUIET } from "./workload/quiet.ts";
import type { Stack } from "./workload/stack.ts";
import { CODEMOD_RULES } from "./workload/submissions.ts";

const COPIES = 99;
const submission = {
  workflow: "index",
  source: { kind: "git" as const, url: "https://example.com/x.git" },
  repository: "default",
  profile: "standard",
  deadline_seconds: 3600,
};

interface Scene extends SeedResult {
  steps: StepRecord[];
}

/** One task without faults; `meanwhile` is asked every 100 ms until it has done its part. */
async function oneTask(
  seed: number,
  meanwhile: (world: World, stack: Stack) => boolean,
  options: SeedOptions = {},
): Promise<Scene> {
  let the_world: World | undefined;
  const workload = (world: World, stack: Stack, client: Client) => {
    the_world = world;
    client.submit({ tenant: "acme", submission, idempotency_key: "one" }, () => undefined);
    const look = () => {
      if (!meanwhile(world, stack)) world.scheduler.after(100, "look", look);
    };
    world.scheduler.after(0, "look", look);
  };
  const result = await simulateSeed(seed, {
    faults: { ...QUIET, duration_ms: 120_000 },
    workload,
    ...options,
  });
  const steps = [...(the_world?.table.items() ?? [])].filter(({ sk }) => String(sk).startsWith("STEP#"));
  return { ...result, steps: steps as unknown as StepRecord[] };
}

function messageOf(world: World, service: string) {
  return world.queues.get(service)?.messages.values().next().value;
}

describe("a hundred copies of one message", () => {
  it("have one effect and ninety-nine counted blocks when the step had ended", async () => {
    let message: ReturnType<typeof messageOf>;
    const { violations, counts, steps } = await oneTask(2, (world, stack) => {
      message ??= messageOf(world, "indexing");
      const ended = [...world.table.items()].some(({ outcome }) => outcome !== undefined);
      if (!message || !ended) return false;
      for (let copy = 0; copy < COPIES; copy += 1) {
        stack.inject("indexing", message.body, message.attributes);
      }
      return true;
    });
    expect(violations).toEqual([]);
    expect(steps.map(({ status, attempts }) => [status, attempts])).toEqual([["completed", 1]]);
    expect(counts.get("effects")).toBe(1);
    expect(counts.get("log DUPLICATE_BLOCKED")).toBe(COPIES);
  });

  it("have one effect when they come at the same time, and every other one is blocked at the end", async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { violations, counts } = await oneTask(seed, (world, stack) => {
        const message = messageOf(world, "indexing");
        if (!message) return false;
        for (let copy = 0; copy < COPIES; copy += 1) {
          stack.inject("indexing", message.body, message.attributes);
        }
        return true;
      });
      expect(violations).toEqual([]);
      expect(counts.get("effects")).toBe(1);
      expect(counts.get("log DUPLICATE_BLOCKED")).toBe(COPIES);
      expect(counts.get("dead letters")).toBeUndefined();
    }
  });
});

describe("a step longer than its lease", () => {
  /** Copies come as long as the step runs: each would take the lease if it lapsed. */
  const crowd = (world: World, stack: Stack) => {
    const message = messageOf(world, "indexing");
    if (message && world.random.chance(0.05)) stack.inject("indexing", message.body, message.attributes);
    return world.scheduler.now() > Date.UTC(2026, 0, 1) + 115_000;
  };
  const worstAttempts = async (options: SeedOptions) => {
    let worst = 0;
    for (let seed = 1; seed <= 40; seed += 1) {
      const { steps } = await oneTask(seed, crowd, options);
      for (const { attempts, last_error } of steps) {
        if (last_error?.code === "INVOCATION_ENDING") continue; // longer than Lambda lets it be
        worst = Math.max(worst, attempts);
      }
    }
    return worst;
  };

  it("keeps it by renewing, so that one attempt does it", async () => {
    expect(await worstAttempts({})).toBe(1);
  });

  it("loses it when renewals are not written", async () => {
    const renewal = "SET lease_expires_at = :until";
    const mutation = {
      name: "renewals are not written",
      write: (input: { UpdateExpression?: string | undefined }) =>
        input.UpdateExpression === renewal ? null : input,
    };
    expect(await worstAttempts({ mutation })).toBeGreaterThan(1);
  });
});

describe("a deadline that passes while a step completes", () => {
  /** Nudges come in at the deadline, so that several orchestrators stop the task at once. */
  const race = async (seeds: number, options: SeedOptions) => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const workload = (world: World, stack: Stack, client: Client) => {
        let nudge: ReturnType<typeof messageOf>;
        const racing = { ...submission, workflow: "change", test: "make", deadline_seconds: 1 };
        const change = { kind: "codemod" as const, rules: CODEMOD_RULES };
        client.submit(
          { tenant: "acme", submission: { ...racing, change }, idempotency_key: "one" },
          () => undefined,
        );
        const look = () => {
          nudge ??= messageOf(world, "orchestrator");
          const age_ms = world.scheduler.now() - (nudge?.sent_at ?? Number.POSITIVE_INFINITY);
          if (nudge && age_ms > 990) stack.inject("orchestrator", nudge.body, nudge.attributes);
          if (!(age_ms > 1040)) world.scheduler.after(7, "look", look);
        };
        world.scheduler.after(0, "look", look);
      };
      const faults = { ...QUIET, duration_ms: 3000, page_items_max: 1 };
      const { violations } = await simulateSeed(seed, { faults, workload, ...options });
      if (violations.length > 0) return violations.map(({ invariant }) => invariant);
    }
    return [];
  };

  it("ends the task with a ledger that rests", async () => {
    expect(await race(100, {})).toEqual([]);
  });

  it("would not, if a step that had just ended counted as fenced out", async () => {
    const claims: Mutation["claims"] = (real) => ({
      ...real,
      cancel: (step) => real.cancel(step).then(() => true),
    });
    expect(await race(1000, { mutation: { name: "canceled whatever it was", claims } })).toContain(
      "an ended task's ledger rests",
    );
  });
});
