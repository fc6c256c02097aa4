import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { queueServices } from "#lib/platform/settings/environment.ts";
import { STATUS } from "#lib/platform/table/items.ts";
import { keyOf } from "#lib/platform/table/keys.ts";
import { checkTable } from "#lib/platform/table/operations.ts";
import type { IntegrationStatus, PartStatus } from "#schemas/http/integration-status.ts";
import type { GatewayPorts } from "./ports.ts";

/** Asks every part the gateway depends on, and says which answer. */
export async function integrationStatus(ports: GatewayPorts): Promise<IntegrationStatus> {
  const { s3, settings, runtime } = ports;
  const checks: Record<string, () => Promise<Record<string, unknown>>> = {
    table: async () => {
      await checkTable(keyOf(STATUS, {}), ports);
      return {};
    },
    bucket: async () => {
      await s3.send(new HeadBucketCommand({ Bucket: settings.artifact_bucket }));
      return {};
    },
  };
  for (const service of queueServices()) checks[`queue:${service}`] = () => queueFacts(service, ports);
  const entries = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await timed(check, runtime.now)] as const),
  );
  return {
    ok: entries.every(([, part]) => part.ok),
    stage: settings.stage,
    checked_at: instant(runtime.now()),
    parts: Object.fromEntries(entries),
  };
}

async function timed(check: () => Promise<Record<string, unknown>>, now: () => number): Promise<PartStatus> {
  const started = now();
  try {
    const facts = await check();
    return { ok: true, latency_ms: now() - started, ...facts };
  } catch (error) {
    return {
      ok: false,
      latency_ms: now() - started,
      detail: error instanceof Error ? error.name : "unknown",
    };
  }
}

async function queueFacts(service: string, { sqs, queueUrl, deadLetterQueueUrl }: GatewayPorts) {
  const count = async (QueueUrl: string) => {
    const AttributeNames = [
      "ApproximateNumberOfMessages" as const,
      "ApproximateNumberOfMessagesNotVisible" as const,
    ];
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    return Attributes ?? {};
  };
  const [queue, dead] = await Promise.all([count(queueUrl(service)), count(deadLetterQueueUrl(service))]);
  return {
    waiting: Number(queue.ApproximateNumberOfMessages),
    in_flight: Number(queue.ApproximateNumberOfMessagesNotVisible),
    dead_lettered: Number(dead.ApproximateNumberOfMessages),
  };
}
