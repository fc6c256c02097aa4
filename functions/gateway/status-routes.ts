import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { type Route, route } from "#lib/http/route.ts";
import { config } from "#lib/platform/config/config.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { queueServices } from "#lib/platform/settings/environment.ts";
import { STATUS } from "#lib/platform/table/items.ts";
import { keyOf } from "#lib/platform/table/keys.ts";
import { checkTable } from "#lib/platform/table/operations.ts";
import { IntegrationStatus, type PartStatus } from "#schemas/http/integration-status.ts";
import { Policies } from "#schemas/http/policies.ts";
import { gatewayPorts } from "./dependencies.ts";
import type { GatewayPorts } from "./ports.ts";

/** Routes about the platform's health and configuration. */
export const statusRoutes: Record<string, Route> = {
  "GET /api/integration/status": route({
    access: "key",
    scope: "operate",
    summary: "Whether table, bucket and queues answer",
    answers: {
      200: { says: "Every part answers", schema: IntegrationStatus },
      503: { says: "A part does not answer", schema: IntegrationStatus },
    },
    run: async ({ platform }) => {
      const status = await integrationStatus(gatewayPorts(platform));
      return { status: status.ok ? 200 : 503, body: status };
    },
  }),
  "GET /api/policies": route({
    access: "key",
    scope: "operate",
    summary: "Which configuration is in force",
    answers: { 200: { says: "As the gateway's process sees it", schema: Policies } },
    run: async () => {
      const body: Policies = { service: "gateway", ...config.view() };
      return { status: 200, body };
    },
  }),
};

/** Checks the table, the bucket and every queue, and reports which respond. */
async function integrationStatus(ports: GatewayPorts): Promise<IntegrationStatus> {
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
