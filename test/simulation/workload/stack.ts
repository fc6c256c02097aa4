import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import { serveQueue } from "#lib/agents/agent/serve-queue.ts";
import { REPLAYS } from "#lib/agents/dlq/replay-job-store.ts";
import { type CountBuffer, countBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import { serveNudge } from "../../../functions/orchestrator/advance.ts";
import { sweepDeliveries, sweepOpenTasks } from "../../../functions/orchestrator/sweep-overdue.ts";
import type { Invocation } from "../engine/invocation.ts";
import { kill } from "../engine/network.ts";
import type { World } from "../engine/world.ts";
import { makeWatch, type Watch } from "../invariants/watch.ts";
import { type EventSource, eventSource } from "../sqs/event-source.ts";
import { makeQueue, type Queue } from "../sqs/queue.ts";
import { simulatedAgents } from "./agents.ts";
import { askingAgent } from "./model-answers.ts";
import { replaysHandler, sweepReplays } from "./replays.ts";
import { deadLetterQueue, type SimulatedPlatform, simulatedPlatform } from "./simulated-platform.ts";
import { webhooksHandler } from "./webhooks.ts";

/** The deployed system: queues, functions on them, and a way to run a function once. */
export interface Stack {
  watch: Watch;
  /** Starts an invocation with its own platform, for a function that is called rather than fed. */
  invoke(service: string, timeout_ms: number): { invocation: Invocation; platform: SimulatedPlatform };
  /** Puts a message into a queue, from outside. */
  inject(service: string, body: string, attributes?: Record<string, string>): void;
  /** Everything that runs dies; queues, table and bucket stay. */
  restart(): void;
  sweep(): void;
  /** Runs the sweeper of the dead-letter queues and of replay jobs. */
  sweepDeadLetters(): void;
}

export function startStack(world: World): Stack {
  const watch = makeWatch(world);
  const sources = new Map<string, EventSource>();
  const events = { onVisibilityChanged: ({ name }: Queue) => sources.get(name)?.wake() };
  const start = (service: string, timeout_ms: number) => startInvocation(world, service, timeout_ms);
  /** One execution environment of each service; it dies with a restart, and what it had not written with it. */
  const environments = new Map<string, CountBuffer>();
  const countsOf = (service: string) => {
    const counts = environments.get(service) ?? countBuffer({ random: () => world.random.next() });
    environments.set(service, counts);
    return counts;
  };
  const platformOf = (invocation: Invocation) =>
    simulatedPlatform(world, invocation, watch, countsOf(invocation.service), events);
  const agents = simulatedAgents(world);

  for (const one of world.deployment.functions) {
    const { service, visibility_ms, receives_max } = one;
    const { random, scheduler } = world;
    const queue = makeQueue({ name: service, visibility_ms, receives_max }, scheduler.now, random);
    const dead_letters = makeQueue(
      { name: deadLetterQueue(service), visibility_ms, receives_max: undefined },
      scheduler.now,
      random,
    );
    world.queues.set(queue.name, queue).set(dead_letters.name, dead_letters);
    const agent = agents.get(service);
    const source = eventSource(world, queue, {
      ...one,
      start,
      handlerOf(invocation) {
        const platform = platformOf(invocation);
        if (service === WEBHOOKS) return webhooksHandler(world, platform);
        if (service === REPLAYS) return replaysHandler(platform);
        if (agent && service === "codegen") {
          return defineAgent(askingAgent(agent, world, platform), () => platform);
        }
        if (agent) return defineAgent(agent, () => platform);
        return serveQueue(
          service,
          (delivery) => serveNudge(delivery, platform.orchestratorPorts(delivery.counters, delivery.log)),
          () => platform,
        );
      },
      onAcknowledged: (message, invocation) => watch.onAcknowledged(queue, message, invocation),
      onRedriven(message) {
        dead_letters.send(message.body, message.attributes);
        watch.onRedriven(queue, message);
      },
    });
    sources.set(service, source);
  }

  return {
    watch,
    invoke(service, timeout_ms) {
      const invocation = start(service, timeout_ms);
      return { invocation, platform: platformOf(invocation) };
    },
    inject(service, body, attributes) {
      world.queues.get(service)?.send(body, attributes);
      sources.get(service)?.wake();
    },
    restart() {
      world.count("restarts");
      environments.clear();
      for (const invocation of world.invocations) kill(world, invocation);
    },
    sweepDeadLetters() {
      const invocation = start("dlq-sweeper", world.deployment.sweeper.timeout_ms);
      const ended = () => end(world, invocation);
      sweepReplays(world, platformOf(invocation)).then(ended, ended);
    },
    sweep() {
      const { timeout_ms } = world.deployment.sweeper;
      const invocation = start("sweeper", timeout_ms);
      const platform = platformOf(invocation);
      const ports = platform.orchestratorPorts(makeCounters(), platform.logOf("sweeper"));
      const sweeping = sweepOpenTasks(ports).then(() => sweepDeliveries(ports));
      sweeping.then(
        () => end(world, invocation),
        () => end(world, invocation),
      );
    },
  };
}

function end(world: World, invocation: Invocation): void {
  if (invocation.state === "running") invocation.state = "ended";
  world.invocations.delete(invocation);
}

function startInvocation(world: World, service: string, timeout_ms: number): Invocation {
  const { random, scheduler, faults } = world;
  const skew = faults.clock_skew_ms;
  world.count("invocations");
  const invocation: Invocation = {
    id: random.uuid(),
    service,
    number: world.counts.get("invocations") ?? 0,
    started_at: scheduler.now(),
    timeout_ms,
    clock_offset_ms: random.int(-skew, skew),
    frozen_until: 0,
    state: "running",
  };
  world.invocations.add(invocation);
  return invocation;
}
