import type { Invocation } from "#test/simulation/engine/invocation.ts";
import type { World } from "#test/simulation/engine/world.ts";

/** A Lambda execution environment: what lives as long as the process, whichever invocation runs in it. */
interface Environment<Kept> {
  /** The process itself, for what it does between and beside invocations. */
  process: Invocation;
  kept: Kept;
}

export interface Environments<Kept> {
  take(): Environment<Kept>;
  free(environment: Environment<Kept>): void;
}

const PROCESS = "environment-";

export const isProcess = ({ id }: Invocation): boolean => id.startsWith(PROCESS);

/** So many environments of a function, each used for one invocation at a time. */
export function environments<Kept>(
  world: World,
  service: string,
  count: number,
  keep: (process: Invocation) => Kept,
): Environments<Kept> {
  const idle = Array.from({ length: count }, (_, number) => {
    const process: Invocation = {
      id: `${PROCESS}${number}`,
      service,
      number,
      started_at: world.scheduler.now(),
      timeout_ms: Number.POSITIVE_INFINITY,
      clock_offset_ms: 0,
      frozen_until: 0,
      state: "running",
    };
    return { process, kept: keep(process) };
  });
  return {
    take() {
      const [environment] = idle.splice(world.random.int(0, idle.length - 1), 1);
      if (!environment)
        throw new Error(`all ${count} environments are busy: too many invocations were started`);
      return environment;
    },
    free: (environment) => void idle.push(environment),
  };
}
