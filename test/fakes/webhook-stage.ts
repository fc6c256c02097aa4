import { readFileSync } from "node:fs";
import { defineAgent } from "#lib/agents/agent/define-agent.ts";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { DELIVERY } from "#lib/platform/table/items.ts";
import { listOf } from "#lib/platform/table/keys.ts";
import { queryPage } from "#lib/platform/table/query-page.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { deliveryView } from "#lib/work/webhooks/delivery.ts";
import { deliveryPlace, parseDelivery } from "#lib/work/webhooks/delivery-store.ts";
import { createWebhook } from "#lib/work/webhooks/webhook-store.ts";
import { WebhooksConfig } from "#schemas/config/webhooks.ts";
import { Workflow } from "#schemas/config/workflows.ts";
import { WebhooksInput, WebhooksOutput } from "#schemas/messages/webhooks.ts";
import type { WebhookRecord } from "#schemas/records/webhook.ts";
import type { OrchestratorPorts } from "../../functions/orchestrator/ports.ts";
import { sweepDeliveries, sweepOpenTasks } from "../../functions/orchestrator/sweep-overdue.ts";
import { deliver, sendAnew } from "../../functions/webhooks/deliver.ts";
import type { DeliveryPorts } from "../../functions/webhooks/ports.ts";
import { replayStage } from "./replay-stage.ts";

export const ROOT = "r".repeat(64);
const TENANT = "acme";
const policy = WebhooksConfig.parse(JSON.parse(readFileSync("configs/webhooks.json", "utf8")));

/** The replay stage with webhooks: real claims, real queues, a real connection to loopback. */
export async function webhookStage(change: Partial<DeliveryPorts> = {}) {
  const stage = await replayStage(() => ({ verdict: "passed" }), {
    webhooks: (platform) => webhooksOf(platform, change),
  });
  const { platform, ports } = stage;
  const orchestrator: OrchestratorPorts = {
    ...platform,
    table_name: ports.table_name,
    counters: makeCounters(),
    log: platform.logOf("orchestrator"),
    writeStandardLayout: async () => {},
  };
  let webhooks = 0;
  return {
    ...stage,
    orchestrator,
    workflow: Workflow.parse({
      description: "test",
      requires: [],
      steps: [{ step: "work", agent: "worker", input: {} }],
    }),
    async register(url: string, tenant = TENANT): Promise<WebhookRecord> {
      webhooks += 1;
      const created_at = instant(platform.runtime.now());
      const record: WebhookRecord = {
        webhook_id: webhooks.toString(16).padStart(16, "0"),
        tenant,
        name: "test",
        url,
        secrets: [{ number: 1, created_at }],
        created_at,
        created_by: "local",
        revision: 1,
      };
      await createWebhook(record, ports);
      return record;
    },
    /** The tenant's deliveries as the API shows them, newest first. */
    async deliveries() {
      const read = (item: Record<string, unknown>) => deliveryView(parseDelivery(item));
      const request = { limit: 100, filters: {}, read };
      return (await queryPage(listOf(DELIVERY, "by_tenant", { tenant: TENANT }), request, ports)).rows;
    },
    /** What the schedule does, `seconds` later than it is. */
    async sweepLater(seconds: number): Promise<number> {
      stage.clock.ahead_ms += seconds * 1000;
      await sweepOpenTasks(orchestrator);
      return sweepDeliveries(orchestrator);
    },
  };
}

function webhooksOf(platform: AgentPlatform, change: Partial<DeliveryPorts>) {
  const { table_name } = platform.settings;
  const ports: DeliveryPorts = {
    table: platform.table,
    table_name,
    rules: () => ({ schemes: ["http"], addresses: "loopback" }),
    policy: () => policy,
    secret_root: ROOT,
    service_version: "0",
    ...change,
  };
  const claims = stepClaims({ ...platform, table_name }, deliveryPlace);
  return defineAgent(
    {
      name: "webhooks",
      input: WebhooksInput,
      output: WebhooksOutput,
      detached: { sendAnew: (envelope, parent) => sendAnew(envelope, parent, platform) },
      run: (input, context) => deliver(input, context, ports),
    },
    () => ({ ...platform, claims }),
  );
}
