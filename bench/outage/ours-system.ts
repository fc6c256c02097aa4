import type { SQSHandler } from "aws-lambda";
import { serveQueue } from "#lib/agents/agent/serve-queue.ts";
import { countBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { Change } from "#test/simulation/dynamodb/table.ts";
import type { Invocation } from "#test/simulation/engine/invocation.ts";
import type { World } from "#test/simulation/engine/world.ts";
import { makeWatch, type Watch } from "#test/simulation/invariants/watch.ts";
import { type EventSource, eventSource } from "#test/simulation/sqs/event-source.ts";
import type { Queue } from "#test/simulation/sqs/queue.ts";
import {
  deadLetterQueue,
  type SimulatedPlatform,
  simulatedPlatform,
} from "#test/simulation/workload/simulated-platform.ts";
import { serveNudge } from "../../functions/orchestrator/advance.ts";
import { sweepOpenTasks } from "../../functions/orchestrator/sweep-overdue.ts";
import { type Environments, environments, isProcess } from "./environments.ts";
import { fairQueue } from "./fair-queue.ts";

/** The function under test: what each environment keeps, and a handler for one invocation in it. */
export interface Worker<Kept> {
  service: string;
  keep(process: SimulatedPlatform): Kept;
  handler(kept: Kept, platform: SimulatedPlatform): SQSHandler;
}

export interface SystemEvents {
  onEnded(task_id: string, outcome: "done" | "dead-lettered" | "failed"): void;
  /** A write that an environment makes for itself, not for a message. */
  onKeptWrite(change: Change): void;
}

/** The system's queues and functions in a simulated world. */
export interface System {
  gateway(): { platform: SimulatedPlatform; end(): void };
  stop(): void;
}

export function startSystem<Kept>(world: World, worker: Worker<Kept>, told: SystemEvents): System {
  const watch = watchEnds(world, told);
  const sources = new Map<string, EventSource>();
  const events = { onVisibilityChanged: ({ name }: Queue) => sources.get(name)?.wake() };
  const counts = countBuffer({ random: () => world.random.next() });
  const platformOf = (invocation: Invocation) => simulatedPlatform(world, invocation, watch, counts, events);
  const start = (service: string, timeout_ms: number) => startInvocation(world, service, timeout_ms);
  const { concurrency = 1 } = world.deployment.functions.find((one) => one.service === worker.service) ?? {};
  const keep = (process: Invocation) => worker.keep(platformOf(process));
  const fleet = environments(world, worker.service, concurrency, keep);

  const handlerOf = (service: string, invocation: Invocation): SQSHandler => {
    const platform = platformOf(invocation);
    if (service === worker.service) return inEnvironment(fleet, (kept) => worker.handler(kept, platform));
    return serveQueue(
      service,
      (delivery) => serveNudge(delivery, platform.orchestratorPorts(delivery.counters, delivery.log)),
      () => platform,
    );
  };
  for (const one of world.deployment.functions) {
    const { service } = one;
    const queue = addQueue(world, service, one);
    const dead_letters = addQueue(world, deadLetterQueue(service), { ...one, receives_max: undefined });
    const source = eventSource(world, queue, {
      ...one,
      start,
      handlerOf: (invocation) => handlerOf(service, invocation),
      onAcknowledged: (message, invocation) => watch.onAcknowledged(queue, message, invocation),
      onRedriven(message) {
        dead_letters.send(message.body, message.attributes);
        watch.onRedriven(queue, message);
      },
    });
    sources.set(service, source);
  }

  const { timeout_ms, period_ms } = world.deployment.sweeper;
  let sweeping = true;
  const sweep = () => {
    if (!sweeping) return;
    const invocation = start("sweeper", timeout_ms);
    const platform = platformOf(invocation);
    const ports = platform.orchestratorPorts(makeCounters(), platform.logOf("sweeper"));
    sweepOpenTasks(ports)
      .catch(() => undefined) // the next sweep does what this one did not
      .finally(() => endInvocation(world, invocation));
    world.scheduler.after(period_ms, "schedule", sweep);
  };
  sweep();
  return {
    gateway() {
      const invocation = start("gateway", world.deployment.gateway_timeout_ms);
      return { platform: platformOf(invocation), end: () => endInvocation(world, invocation) };
    },
    stop() {
      sweeping = false;
    },
  };
}

/** The simulation's invariants, and word of every task that ends. */
function watchEnds(world: World, { onEnded, onKeptWrite }: SystemEvents): Watch {
  const watch = makeWatch(world);
  return {
    ...watch,
    onWrite(change, writer) {
      watch.onWrite(change, writer);
      if (isProcess(writer)) onKeptWrite(change);
      if (change.key.sk !== "TASK") return;
      const { task_id, status, sealed_at } = change.after as unknown as TaskRecord;
      if (!sealed_at) return;
      const ledger = world.table.query({
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": change.key.pk },
      }).Items as Partial<StepRecord>[];
      const dead_lettered = ledger.some(({ outcome }) => outcome?.dead_letter);
      onEnded(task_id, status === "succeeded" ? "done" : dead_lettered ? "dead-lettered" : "failed");
    },
  };
}

interface QueueOptions {
  visibility_ms: number;
  receives_max: number | undefined;
}

function addQueue(world: World, name: string, { visibility_ms, receives_max }: QueueOptions): Queue {
  const queue = fairQueue({ name, visibility_ms, receives_max }, world.scheduler.now, world.random);
  world.queues.set(name, queue);
  return queue;
}

function inEnvironment<Kept>(fleet: Environments<Kept>, handlerIn: (kept: Kept) => SQSHandler): SQSHandler {
  return async (event, context, callback) => {
    const environment = fleet.take();
    try {
      return await handlerIn(environment.kept)(event, context, callback);
    } finally {
      fleet.free(environment);
    }
  };
}

function startInvocation(world: World, service: string, timeout_ms: number): Invocation {
  world.count("invocations");
  const invocation: Invocation = {
    id: world.random.uuid(),
    service,
    number: world.counts.get("invocations") ?? 0,
    started_at: world.scheduler.now(),
    timeout_ms,
    clock_offset_ms: 0,
    frozen_until: 0,
    state: "running",
  };
  world.invocations.add(invocation);
  return invocation;
}

function endInvocation(world: World, invocation: Invocation): void {
  if (invocation.state === "running") invocation.state = "ended";
  world.invocations.delete(invocation);
}
