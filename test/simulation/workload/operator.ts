import { openFailures } from "#lib/agents/dlq/failure-lists.ts";
import { failureName } from "#lib/agents/dlq/failure-name.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { childSpan } from "#lib/platform/trace/traceparent.ts";
import { ReplayRequest } from "#schemas/http/replays.ts";
import type { ReplayJobRecord } from "#schemas/records/replay.ts";
import { commandReplay, type JobCommand } from "../../../functions/gateway/command-replay.ts";
import { createReplay, type Operator } from "../../../functions/gateway/replay-jobs.ts";
import { kill } from "../engine/network.ts";
import { EPOCH_MS } from "../engine/scheduler.ts";
import type { World } from "../engine/world.ts";
import { checkReplayed, ledgersOf } from "../invariants/check-replayed.ts";
import type { Client } from "./client.ts";
import type { SimulatedPlatform } from "./simulated-platform.ts";
import type { Stack } from "./stack.ts";
import { drawSubmission, TENANTS } from "./submissions.ts";

/** The tenant whose operator sees the failures of all. */
const OPERATORS = "local";
const MINUTE_MS = 60_000;
/** Everything is replayed so often at most until nothing can be replayed any more. */
const ROUNDS_MAX = 6;
/** A job waits for the work that it sent, and a message that a killed worker held comes back. */
const ROUND_MS_MAX = 3 * 5_400_000;

/**
 * Tasks that fail for good while faults go on, an operator who replays them by overlapping jobs, commands the jobs,
 * and mends the cause. When the faults are over everything is replayed until nothing is left, and then once more.
 */
export function replayWorkload(world: World, stack: Stack, client: Client): { busy(): boolean } {
  const { random, faults, scheduler } = world;
  const within = (label: string, least_ms: number, action: () => void) =>
    scheduler.after(random.int(least_ms, Math.max(least_ms, faults.duration_ms)), label, action);
  world.broken_until = EPOCH_MS + random.int(5000, faults.duration_ms);
  for (let tasks = random.int(2, 5); tasks > 0; tasks -= 1) {
    within("submit", 0, () => {
      const asked = {
        tenant: random.pick(TENANTS),
        submission: drawSubmission(random),
        idempotency_key: undefined,
      };
      client.submit(asked, () => undefined);
    });
  }
  for (let jobs = random.int(1, 4); jobs > 0; jobs -= 1)
    within("order", 5000, () => void order(world, stack));
  for (let commands = random.int(0, 3); commands > 0; commands -= 1) {
    within("command", 5000, () => commandSome(world, stack, random.pick(["pause", "resume", "abort"])));
  }
  for (let restarts = faults.restarts; restarts > 0; restarts -= 1) within("restart", 0, stack.restart);
  let done = false;
  const sweep = () => {
    if (done) return;
    stack.sweepDeadLetters();
    scheduler.after(MINUTE_MS, "schedule", sweep);
  };
  scheduler.after(random.int(0, MINUTE_MS), "schedule", sweep);
  scheduler.after(faults.duration_ms + 6 * MINUTE_MS, "faults are over", () => {
    finish(world, stack, client).then(
      () => {
        done = true;
      },
      (error: unknown) => world.violate("an operator's requests are answered", String(error)),
    );
  });
  return { busy: () => !done };
}

/** A request of the operator to the gateway. Undefined when it was not answered. */
function ask<Answer>(
  world: World,
  stack: Stack,
  action: (operator: Operator, platform: SimulatedPlatform) => Promise<Answer>,
): Promise<Answer | undefined> {
  const { gateway_timeout_ms } = world.deployment;
  const { invocation, platform } = stack.invoke("gateway", gateway_timeout_ms);
  const operator: Operator = {
    tenant: OPERATORS,
    sees_all: true,
    subject: "local",
    is_admin: true,
    audited: (_, does) => does(),
    trace: childSpan(undefined, platform.runtime),
    log: platform.logOf("gateway"),
  };
  return new Promise((resolve) => {
    const end = (answer?: Answer) => {
      if (invocation.state === "running") invocation.state = "ended";
      world.invocations.delete(invocation);
      resolve(answer);
    };
    world.scheduler.after(gateway_timeout_ms, "gateway timeout", () => {
      if (invocation.state === "running") kill(world, invocation);
      end();
    });
    action(operator, platform).then(end, (error: unknown) => {
      world.count(error instanceof HttpError ? `orders refused: ${error.code}` : "orders not answered");
      end();
    });
  });
}

/** Orders a job for all, for one tenant, or for some named failures. */
function order(world: World, stack: Stack): Promise<unknown> {
  const { random } = world;
  world.count("jobs ordered");
  return ask(world, stack, async (operator, platform) => {
    const { found } = await openFailures({ all: true }, {}, { order: "latest" }, platform);
    const named = found.map(failureName).filter(() => random.chance(0.5));
    const selection =
      named.length > 0 && random.chance(0.4)
        ? { failures: named }
        : random.pick([{ all: true }, { filter: { tenant: random.pick(TENANTS) } }]);
    const request = ReplayRequest.parse({
      selection,
      rate_per_second: random.pick([0.5, 2, 100]),
      concurrency: random.int(1, 5),
      stop_on_failure_share: random.pick([null, 0.5]),
    });
    return createReplay(operator, request, undefined, platform);
  });
}

function jobs({ table }: World): ReplayJobRecord[] {
  return [...table.items()].filter(({ sk }) => sk === "JOB") as unknown as ReplayJobRecord[];
}

function commandSome(world: World, stack: Stack, command: JobCommand): void {
  const found = jobs(world);
  if (found.length === 0) return;
  const { replay_id } = world.random.pick(found);
  world.count(`jobs commanded: ${command}`);
  void ask(world, stack, (operator, platform) => commandReplay(operator, replay_id, command, platform));
}

/** Waits, in virtual time, until something holds; false when it does not in time. */
function until({ scheduler }: World, holds: () => boolean, limit_ms: number): Promise<boolean> {
  const by = scheduler.now() + limit_ms;
  return new Promise((resolve) => {
    const look = () => {
      if (holds()) return resolve(true);
      if (scheduler.now() > by) return resolve(false);
      scheduler.after(1000, "the operator looks", look);
    };
    look();
  });
}

/** Replays everything until nothing is left to replay, and then once more, which must change nothing. */
async function finish(world: World, stack: Stack, client: Client): Promise<void> {
  const quiet = () =>
    stack.watch.open_tasks.size === 0 &&
    client.open() === 0 &&
    world.scheduler.now() > world.late_until &&
    [...world.queues.values()].every(({ name, messages }) => messages.size === 0 || name.endsWith("-dlq"));
  await until(world, quiet, ROUND_MS_MAX);
  for (let round = 0; ; round += 1) {
    for (const { replay_id, state } of jobs(world)) {
      if (state !== "paused" && state !== "failed") continue;
      await ask(world, stack, (operator, platform) => commandReplay(operator, replay_id, "resume", platform));
    }
    const before = ledgersOf(world);
    const request = ReplayRequest.parse({
      selection: { all: true },
      rate_per_second: 100,
      stop_on_failure_share: null,
    });
    await ask(world, stack, (operator, platform) => createReplay(operator, request, undefined, platform));
    const over = () => quiet() && jobs(world).every(({ state }) => state !== "running");
    const ended = await until(world, over, ROUND_MS_MAX);
    if (!ended)
      return world.violate(
        "every replay job ends",
        JSON.stringify(jobs(world).map(({ state, counts }) => [state, counts])),
      );
    if (round > 0 && ledgersOf(world) === before) return checkReplayed(world, stack);
    if (round === ROUNDS_MAX)
      return world.violate("replaying everything again changes nothing", `after ${round} rounds`);
  }
}
