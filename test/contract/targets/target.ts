import { TARGETS } from "../difference.ts";
import { embedded } from "./embedded.ts";
import { remote } from "./remote.ts";
import { simulation } from "./simulation.ts";
import type { Target } from "./worlds.ts";

/** What this run is held against: CONTRACT_TARGET, the embedded stack when it is not set. */
export function target(): Target {
  const name = process.env.CONTRACT_TARGET ?? "embedded";
  switch (name) {
    case "embedded":
      return embedded;
    case "simulation":
      return simulation;
    case "localstack":
    case "moto":
    case "dynamodb-local":
      return remote(name);
    default:
      throw new Error(`CONTRACT_TARGET is ${name}; it is one of ${TARGETS.join(", ")}.`);
  }
}
