import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { AgentPlatform } from "#lib/agents/agent/platform.ts";
import { checkRules } from "#lib/code/codemod/codemod-rules.ts";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
import { artifactKey } from "#lib/platform/blobs/object-keys.ts";
import { s3Blobs } from "#lib/platform/blobs/s3-blobs.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { CountBuffer } from "#lib/platform/metrics/count-buffer.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Claims } from "#lib/resilience/idempotency/step-claims.ts";
import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { type LayoutPorts, storedFiles, writeStandardLayout } from "#lib/work/artifacts/standard-layout.ts";
import { lookAgain } from "#lib/work/tasks/task-news.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { deliveryPlace } from "#lib/work/webhooks/delivery-store.ts";
import type { GatewayPorts } from "../../../functions/gateway/ports.ts";
import type { OrchestratorPorts } from "../../../functions/orchestrator/ports.ts";
import { tableClient } from "../dynamodb/table-client.ts";
import type { Invocation } from "../engine/invocation.ts";
import { resume } from "../engine/network.ts";
import type { World } from "../engine/world.ts";
import type { Watch } from "../invariants/watch.ts";
import { bucketClient } from "../s3/bucket-client.ts";
import { type QueueEvents, queueClient } from "../sqs/queue-client.ts";

/** All ports of the code under test, for one invocation in a simulated world. */
export interface SimulatedPlatform extends GatewayPorts, AgentPlatform {
  orchestratorPorts(counters: Counters, log: Log): OrchestratorPorts;
  /** On deliveries of webhooks. */
  deliveryClaims: Claims;
}

export const deadLetterQueue = (service: string) => `${service}-dlq`;

export function simulatedPlatform(
  world: World,
  invocation: Invocation,
  watch: Watch,
  counts: CountBuffer,
  events: Pick<QueueEvents, "onVisibilityChanged">,
): SimulatedPlatform {
  const { deployment, mutation } = world;
  const { settings } = deployment;
  const { table_name, artifact_bucket, service_version } = settings;
  const runtime = simulatedRuntime(world, invocation);
  const table = tableClient(world, invocation, (change, writer) => watch.onWrite(change, writer));
  const sqs = queueClient(world, invocation, {
    ...events,
    onSent(queue, message) {
      watch.onSent(queue, message);
      events.onVisibilityChanged(queue);
    },
  });
  const s3 = bucketClient(world, invocation);
  const real = stepClaims({ table, table_name, runtime });
  const claims = watchedClaims(mutation.claims?.(real) ?? real, invocation, watch);
  const log = simulatedLog(world, invocation);
  const platform = {
    runtime,
    spanSinks: [], // spans ride on the writes of the ledger
    counts,
    table,
    table_name,
    sqs,
    s3,
    claims,
    settings,
    // In this process: how long a child takes is not the simulation's to decide.
    code: {
      parseDiff: async (diff: string) => void parseDiff(diff),
      checkRules: async (rules: string) => checkRules(rules),
    },
    retryPolicy: () => deployment.retry_policy,
    followTask: lookAgain(runtime),
    artifacts: () => deployment.artifacts,
    workflows: () => deployment.workflows,
    sandboxLimits: () => deployment.sandbox_limits,
    codegen: () => deployment.codegen,
    replays: () => ({
      $schema: "",
      replays_per_message_max: 5,
      approval_messages_max: 100,
      approval_seconds_max: 86_400,
      await_seconds_max: 60,
    }),
    services: () => deployment.functions.map(({ service }) => service),
    outbound: () => ({ schemes: ["https" as const], addresses: "public" as const }),
    blobsOf: (tenant: string) => s3Blobs({ tenant, s3, bucket: artifact_bucket }),
    queueUrl: (service: string) => service,
    deadLetterQueueUrl: deadLetterQueue,
    logOf: () => log,
  } satisfies AgentPlatform & Record<string, unknown>;
  const layout_ports = { s3, bucket: artifact_bucket, service_version };
  const writeLayout = async (ledger: Ledger) => {
    if (mutation.layout === "skipped") return;
    if (mutation.layout === "marked first") await markFirst(ledger, layout_ports);
    await writeStandardLayout(ledger, layout_ports);
  };
  return {
    ...platform,
    deliveryClaims: watchedClaims(
      stepClaims({ table, table_name, runtime }, deliveryPlace),
      invocation,
      watch,
    ),
    orchestratorPorts: (counters, log) => ({
      ...platform,
      counters,
      log,
      writeStandardLayout: writeLayout,
    }),
  };
}

/** Writes the meta files of reports before the reports. */
async function markFirst(ledger: Ledger, { s3, bucket: Bucket, service_version }: LayoutPorts) {
  const { tenant, task_id } = ledger.task;
  for (const { path, content } of storedFiles(ledger, service_version)) {
    if (!path.endsWith("/report.json.meta.json") || content === undefined) continue;
    await s3.send(new PutObjectCommand({ Bucket, Key: artifactKey(tenant, task_id, path), Body: content }));
  }
}

/** Time, chance and ids of one invocation, all from the seed. */
function simulatedRuntime(world: World, invocation: Invocation): Runtime {
  const { scheduler, random } = world;
  return {
    now: () => scheduler.now() + invocation.clock_offset_ms,
    random: () => random.next(),
    uuid: () => random.uuid(),
    hex: (bytes) => random.hex(bytes),
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        let waiting = true;
        const abort = () => {
          waiting = false;
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", abort, { once: true });
        const wake = () => {
          if (!waiting) return;
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        resume(world, invocation, milliseconds, `${invocation.number} wakes`, wake);
      }),
  };
}

/** Whoever is told that its completion took may act on it in the outer world: that is the effect to be had once. */
function watchedClaims(claims: Claims, invocation: Invocation, watch: Watch): Claims {
  return {
    ...claims,
    async complete(key, lease, outcome) {
      await claims.complete(key, lease, outcome);
      watch.onEffect(key, lease, invocation);
    },
  };
}

function simulatedLog(world: World, invocation: Invocation): Log {
  const at = (code: string) => {
    world.count(`log ${code}`);
    world.scheduler.note(`${invocation.number} ${invocation.service} ${code}`);
  };
  const log: Log = { info: at, warn: at, error: at, with: () => log };
  return log;
}
