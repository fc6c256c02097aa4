import type { TargetName } from "../../test/contract/difference.ts";

export interface StartedTarget {
  /** Where it listens; undefined when the tests start it themselves. */
  endpoint: string | undefined;
  stop(): Promise<void>;
}

/** The target, serving. @throws with what to do when it cannot be started */
export async function startTarget(target: TargetName): Promise<StartedTarget> {
  if (target === "embedded" || target === "simulation") {
    return { endpoint: undefined, stop: async () => undefined };
  }
  const endpoint = process.env.CONTRACT_ENDPOINT;
  if (!endpoint) throw new Error("it has no endpoint: set CONTRACT_ENDPOINT");
  return { endpoint, stop: async () => undefined };
}
