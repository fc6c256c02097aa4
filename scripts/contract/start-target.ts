import type { TargetName } from "../../test/contract/difference.ts";

export interface StartedTarget {
  /** Where it listens; undefined when the tests start it themselves. */
  endpoint: string | undefined;
  stop(): Promise<void>;
}

/** The variable that says where a target listens that somebody else started. */
const STARTED_BY_HAND: Partial<Record<TargetName, string>> = {
  localstack: "LOCALSTACK_URL",
  moto: "MOTO_URL",
  "dynamodb-local": "DYNAMODB_LOCAL_URL",
};

/** The target, serving. @throws with what to do when it cannot be started */
export async function startTarget(target: TargetName): Promise<StartedTarget> {
  const variable = STARTED_BY_HAND[target];
  const endpoint = variable && process.env[variable];
  if (variable && !endpoint) throw new Error(`start it, and set ${variable} to where it listens`);
  return { endpoint, stop: async () => undefined };
}
