import { readFileSync } from "node:fs";
import { RECEIVES_MAX } from "#lib/agents/agent/settle-failure.ts";
import { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import { resourcesOf, type Template } from "../../../scripts/package/template.ts";
import { idIn, properties, type TemplateRule } from "./rule.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const VISIBILITY_FACTOR = 6;
const DEAD_LETTER_SECONDS_MIN = 14 * 86_400;

interface Queue {
  VisibilityTimeout?: number;
  MessageRetentionPeriod?: number;
  SqsManagedSseEnabled?: boolean;
  RedrivePolicy?: { deadLetterTargetArn: unknown; maxReceiveCount: number };
}

interface Mapping {
  EventSourceArn: unknown;
  FunctionName: unknown;
  FunctionResponseTypes?: string[];
  ScalingConfig?: { MaximumConcurrency?: number };
}

const queuesOf = (template: Template) => resourcesOf<Queue>(template, "AWS::SQS::Queue");
const mappingsOf = (template: Template) => resourcesOf<Mapping>(template, "AWS::Lambda::EventSourceMapping");

/** Logical ids of the queues that others redrive into. */
function deadLetterIds(template: Template): Set<string | undefined> {
  return new Set(
    queuesOf(template).map(([, { RedrivePolicy: policy }]) => idIn(policy?.deadLetterTargetArn)),
  );
}

const workQueues = (template: Template) => {
  const dead = deadLetterIds(template);
  return queuesOf(template).filter(([id]) => !dead.has(id));
};

export const queueRules: TemplateRule[] = [
  {
    says: "every queue has a DLQ of its own that keeps its messages for 14 days",
    check: (template) => {
      const targets = workQueues(template).map(([, queue]) => idIn(queue.RedrivePolicy?.deadLetterTargetArn));
      return workQueues(template).flatMap(([id, queue]) => {
        const dead = idIn(queue.RedrivePolicy?.deadLetterTargetArn) ?? "";
        const { MessageRetentionPeriod = 0 } = (template.Resources[dead]?.Properties ?? {}) as Queue;
        if (template.Resources[dead]?.Type !== "AWS::SQS::Queue") return [`${id} has no DLQ`];
        if (targets.filter((target) => target === dead).length > 1) return [`${dead} is not only ${id}'s`];
        return MessageRetentionPeriod < DEAD_LETTER_SECONDS_MIN ? [`${dead} forgets`] : [];
      });
    },
    mutations: {
      "no redrive policy": (template) => delete properties(template, "CodegenQueue").RedrivePolicy,
      "the DLQ of another": (template) => {
        properties(template, "CodegenQueue").RedrivePolicy = properties(
          template,
          "SandboxQueue",
        ).RedrivePolicy;
      },
      "four days": (template) => delete properties(template, "CodegenDeadLetterQueue").MessageRetentionPeriod,
    },
  },
  {
    says: "every queue feeds one function, for which its messages are invisible six times its timeout",
    check: (template) => {
      const mappings = mappingsOf(template);
      return workQueues(template).flatMap(([id, { VisibilityTimeout = 30 }]) => {
        const fed = mappings.filter(([, { EventSourceArn }]) => idIn(EventSourceArn) === id);
        if (fed.length !== 1) return [`${id} feeds ${fed.length} functions`];
        const { Timeout = 3 } = properties(template, idIn(fed[0]?.[1].FunctionName) ?? "") as {
          Timeout?: number;
        };
        return VisibilityTimeout < VISIBILITY_FACTOR * Timeout ? [`${id}: ${VisibilityTimeout} s`] : [];
      });
    },
    mutations: {
      "a longer timeout": (template) => {
        properties(template, "CodegenLambdaFunction").Timeout = 901;
      },
      "no event source": (template) => {
        delete template.Resources.CodegenEventSourceMappingSQSCodegenQueue;
      },
    },
  },
  {
    says: "maxReceiveCount is what the agents count to, and above the attempts of the retry policy",
    check: (template) => {
      const policy = RetryPolicyConfig.parse(JSON.parse(readFileSync("configs/retry_policy.json", "utf8")));
      const attempts = [policy.defaults, ...policy.overrides].map(({ attempts_max }) => attempts_max ?? 0);
      return workQueues(template).flatMap(([id, { RedrivePolicy }]) => {
        const receives = RedrivePolicy?.maxReceiveCount ?? 0;
        return receives === RECEIVES_MAX && receives > Math.max(...attempts) ? [] : [`${id}: ${receives}`];
      });
    },
    mutations: {
      "one receive less": (template) => {
        (properties(template, "CodegenQueue").RedrivePolicy as { maxReceiveCount: number }).maxReceiveCount -=
          1;
      },
    },
  },
  {
    says: "every event source reports partial batches, and is bounded in its concurrency",
    check: (template) =>
      mappingsOf(template).flatMap(([id, { FunctionResponseTypes = [], ScalingConfig }]) => [
        ...(FunctionResponseTypes.includes("ReportBatchItemFailures") ? [] : [`${id} repeats whole batches`]),
        ...(ScalingConfig?.MaximumConcurrency ? [] : [`${id} is unbounded`]),
      ]),
    mutations: {
      "no partial batches": (template) =>
        delete properties(template, "IndexingEventSourceMappingSQSIndexingQueue").FunctionResponseTypes,
      "no bound": (template) =>
        delete properties(template, "IndexingEventSourceMappingSQSIndexingQueue").ScalingConfig,
    },
  },
  {
    says: "every queue is encrypted",
    check: (template) =>
      queuesOf(template).flatMap(([id, { SqsManagedSseEnabled }]) => (SqsManagedSseEnabled ? [] : [id])),
    mutations: {
      "a DLQ in plain": (template) =>
        delete properties(template, "SandboxDeadLetterQueue").SqsManagedSseEnabled,
    },
  },
];
