import { ValidationError } from "../dynamodb/operands.ts";
import type { Invocation } from "./invocation.ts";
import type { World } from "./world.ts";

const LATE_MS_MAX = 150_000;

interface Call<Answer> {
  label: string;
  /** The operation as its service does it; throws what the service answers with an error. */
  effect: () => Answer;
}

type Result<Answer> = { answer: Answer } | { error: unknown };

/**
 * One operation over the network: takes effect at some time, is answered at a later one, and
 * between any two of these its invocation may crash or freeze.
 */
export function call<Answer>(
  world: World,
  invocation: Invocation,
  { label, effect }: Call<Answer>,
): Promise<Answer> {
  const { scheduler, random } = world;
  const name = `${invocation.number} ${label}`;
  return new Promise((resolve, reject) => {
    const answer = (result: Result<Answer>) => {
      resume(world, invocation, latency(world), `${name} answered`, () =>
        "error" in result ? reject(result.error) : resolve(result.answer),
      );
    };
    const attempt = (delay_ms: number, then: (result: Result<Answer>) => void) =>
      scheduler.after(delay_ms, name, () => {
        if (invocation.state === "dead" && random.chance(0.5)) return; // it never left the machine
        maybeCrash(world, invocation);
        then(outcome(world, effect));
      });
    const late = (then: (result: Result<Answer>) => void) => {
      const delay_ms = random.int(500, LATE_MS_MAX);
      world.late_until = Math.max(world.late_until, scheduler.now() + delay_ms);
      attempt(delay_ms, then);
    };
    const lost = () => answer({ error: new NetworkError("TimeoutError", "no answer came in time") });

    maybeCrash(world, invocation);
    switch (drawFault(world)) {
      case "refused":
        return answer({ error: new NetworkError("ThrottlingException", "too many requests") });
      case "answer_lost":
        return attempt(latency(world), lost);
      case "sent_twice":
        return attempt(latency(world), () => attempt(latency(world), answer));
      case "late_copy":
        late(() => undefined);
        return attempt(latency(world), answer);
      case "slow":
        return late(answer);
      case "none":
        return attempt(latency(world), answer);
    }
  });
}

class NetworkError extends Error {
  readonly $metadata = {};
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

const FAULTS = ["refused", "answer_lost", "sent_twice", "late_copy", "slow"] as const;

function drawFault(world: World): (typeof FAULTS)[number] | "none" {
  if (!world.faulty()) return "none";
  let draw = world.random.next();
  for (const fault of FAULTS) {
    draw -= world.faults[fault];
    if (draw >= 0) continue;
    world.count(`operations ${fault}`);
    return fault;
  }
  return "none";
}

function latency({ random }: World): number {
  return random.int(1, 12);
}

function outcome<Answer>(world: World, effect: () => Answer): Result<Answer> {
  try {
    return { answer: effect() };
  } catch (error) {
    if (error instanceof ValidationError || error instanceof SyntaxError) {
      world.violate("requests are valid", error.message);
    }
    return { error };
  }
}

/** Runs `action` in the invocation's own time: not while it is frozen, and never when it is dead. */
export function resume(
  world: World,
  invocation: Invocation,
  delay_ms: number,
  label: string,
  action: () => void,
): void {
  world.scheduler.after(delay_ms, label, () => {
    maybeCrash(world, invocation);
    if (invocation.state === "dead") return;
    maybeFreeze(world, invocation);
    const frozen_ms = invocation.frozen_until - world.scheduler.now();
    if (frozen_ms > 0) resume(world, invocation, frozen_ms + world.random.int(0, 5), label, action);
    else action();
  });
}

function maybeCrash(world: World, invocation: Invocation): void {
  if (invocation.state !== "running" || !world.faulty() || !world.random.chance(world.faults.crash)) return;
  world.count("crashes");
  kill(world, invocation);
}

/** Nothing of a dead invocation runs again; what it had sent may still arrive. */
export function kill(world: World, invocation: Invocation): void {
  invocation.state = "dead";
  world.invocations.delete(invocation);
  world.scheduler.note(`${invocation.number} dies`);
}

function maybeFreeze(world: World, invocation: Invocation): void {
  if (invocation.state !== "running" || !world.faulty() || !world.random.chance(world.faults.freeze)) return;
  world.count("freezes");
  invocation.frozen_until = world.scheduler.now() + world.random.int(1000, 4 * world.deployment.lease_ms);
}
