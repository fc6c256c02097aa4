import { RECEIVES_MAX } from "#lib/agents/agent/settle-failure.ts";
import { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import {
  parseServerless,
  queueEvents,
  type Resource,
  SERVERLESS_FILE,
  type ServerlessFile,
} from "../tree/serverless.ts";
import type { Rule } from "./rule.ts";

const POLICY_FILE = "configs/retry_policy.json";
/** What SQS keeps a message for when its queue does not say. */
const RETENTION_SECONDS_DEFAULT = 4 * 86_400;

/** The most that the policy or one of its overrides asks for. */
interface Most {
  attempts: number;
  total_seconds: number;
  backoff_seconds: number;
}

/** The retry policy, not a queue's redrive, decides when work is given up: every queue leaves room for it. */
export const retriesFitQueues: Rule = {
  name: "retries-fit-queues",
  check(tree) {
    if (!tree.has(SERVERLESS_FILE) || !tree.has(POLICY_FILE)) return [];
    const policy = RetryPolicyConfig.safeParse(JSON.parse(tree.read(POLICY_FILE)));
    if (!policy.success) return []; // configs-are-valid says why
    const most = mostOf(policy.data);
    const file = parseServerless(tree.read(SERVERLESS_FILE));
    return Object.entries(file.functions).flatMap(([name, one]) => [
      ...queueEvents(one).flatMap(({ queue }) => queueFaults(file, queue, most)),
      ...(queueEvents(one).length > 0 ? timeoutFaults(name, one.timeout, policy.data) : []),
    ]);
  },
};

function mostOf({ defaults, overrides }: RetryPolicyConfig): Most {
  const layers = [defaults, ...overrides];
  const most = (values: (number | undefined)[]) => Math.max(...values.map((value) => value ?? 0));
  return {
    attempts: most(layers.map(({ attempts_max }) => attempts_max)),
    total_seconds: most(layers.map(({ total_seconds_max }) => total_seconds_max)),
    backoff_seconds: most(layers.map(({ backoff_ms_max }) => (backoff_ms_max ?? 0) / 1000)),
  };
}

function queueFaults(file: ServerlessFile, queue: string | undefined, most: Most): string[] {
  const resource: Resource | undefined = file.resources?.Resources[queue ?? ""];
  if (!resource) return []; // queues-keep-messages says so
  const { RedrivePolicy, MessageRetentionPeriod = RETENTION_SECONDS_DEFAULT } = resource.Properties;
  const { maxReceiveCount } = (RedrivePolicy ?? {}) as { maxReceiveCount?: unknown };
  const faults: string[] = [];
  if (maxReceiveCount !== RECEIVES_MAX) {
    faults.push(
      `set ${queue}.RedrivePolicy.maxReceiveCount to ${RECEIVES_MAX}: at that receive lib/agents/agent/settle-failure.ts gives a message up with a failure record.`,
    );
  }
  if (typeof maxReceiveCount === "number" && most.attempts >= maxReceiveCount) {
    faults.push(
      `${POLICY_FILE} allows ${most.attempts} attempts and ${queue} only ${maxReceiveCount} receives: lower attempts_max below that.`,
    );
  }
  const longest_seconds = most.total_seconds + most.backoff_seconds;
  if (typeof MessageRetentionPeriod === "number" && longest_seconds > MessageRetentionPeriod) {
    faults.push(
      `${queue} keeps a message ${MessageRetentionPeriod} s and ${POLICY_FILE} may take ${longest_seconds} s: raise MessageRetentionPeriod.`,
    );
  }
  return faults.map((fault) => `${SERVERLESS_FILE}: ${fault}`);
}

/** A try that takes a function's whole time must leave room for a second one. */
function timeoutFaults(name: string, timeout: unknown, { defaults, overrides }: RetryPolicyConfig): string[] {
  if (typeof timeout !== "number") return [];
  const own = overrides.filter(({ match: { service } }) => service === undefined || service === name);
  return [defaults, ...own].flatMap(({ total_seconds_max }) =>
    total_seconds_max === undefined || total_seconds_max > timeout
      ? []
      : [
          `${POLICY_FILE}: total_seconds_max of ${total_seconds_max} ends before one try of ${name} may (${timeout} s): raise it.`,
        ],
  );
}
