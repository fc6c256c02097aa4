import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { tableClient } from "#test/simulation/dynamodb/table-client.ts";
import type { Invocation } from "#test/simulation/engine/invocation.ts";
import type { World } from "#test/simulation/engine/world.ts";

/** A Lambda execution environment: what lives as long as the process, whichever invocation runs in it. */
export interface Environment {
  index: number;
  table: DynamoDBDocumentClient;
  /** Writes it made for itself, not for a message. */
  writes: number;
}

export interface Environments {
  all: Environment[];
  take(): Environment;
  free(environment: Environment): void;
}

/** So many environments of a function, each used for one invocation at a time. */
export function environments(world: World, service: string, count: number): Environments {
  const all = Array.from({ length: count }, (_, index) => {
    const process: Invocation = {
      id: `environment-${index}`,
      service,
      number: index,
      started_at: world.scheduler.now(),
      timeout_ms: Number.POSITIVE_INFINITY,
      clock_offset_ms: 0,
      frozen_until: 0,
      state: "running",
    };
    const environment: Environment = {
      index,
      writes: 0,
      table: tableClient(world, process, () => {
        environment.writes += 1;
      }),
    };
    return environment;
  });
  const idle = [...all];
  return {
    all,
    take() {
      const [environment] = idle.splice(world.random.int(0, idle.length - 1), 1);
      if (!environment)
        throw new Error(`all ${count} environments are busy: the event source starts too many`);
      return environment;
    },
    free: (environment) => void idle.push(environment),
  };
}
