import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { sourceHash } from "#lib/platform/hash/source-hash.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import { CodegenConfig } from "#schemas/config/codegen.ts";
import { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import { SandboxLimitsConfig } from "#schemas/config/sandbox-limits.ts";
import { WorkflowsConfig } from "#schemas/config/workflows.ts";
import { expandAgents } from "../../../scripts/serverless/expand-agents.ts";

interface QueueFunction {
  service: string;
  timeout_ms: number;
  batch_size: number;
  concurrency: number;
  visibility_ms: number;
  receives_max: number;
}

/** What is deployed, read from serverless.yml and configs/: the simulation invents none of it. */
export interface Deployment {
  functions: QueueFunction[];
  gateway_timeout_ms: number;
  sweeper: { timeout_ms: number; period_ms: number };
  lease_ms: number;
  settings: Settings;
  retry_policy: { value: RetryPolicyConfig; hash: string };
  artifacts: { value: ArtifactsConfig; hash: string };
  workflows: WorkflowsConfig["workflows"];
  sandbox_limits: SandboxLimitsConfig;
  codegen: CodegenConfig;
}

interface SqsBlock {
  arn: { "Fn::GetAtt": [string, string] };
  batchSize: number;
  maximumConcurrency: number;
}

const serverless = parse(readFileSync("serverless.yml", "utf8"));
expandAgents(serverless);
const read = (file: string) => JSON.parse(readFileSync(`configs/${file}`, "utf8"));
const retry_policy = RetryPolicyConfig.parse(read("retry_policy.json"));
const artifacts = ArtifactsConfig.parse(read("artifacts.json"));
const workflows = WorkflowsConfig.parse(read("workflows.json")).workflows;
const codegen = CodegenConfig.parse(read("codegen.json"));
const sandbox_limits = SandboxLimitsConfig.parse(read("sandbox_limits.json"));
const leases: { local: number; default: number } = serverless.custom.lease_seconds;

function queueFunctions(): QueueFunction[] {
  const found: QueueFunction[] = [];
  for (const [service, { timeout, events = [] }] of Object.entries<{
    timeout: number;
    events?: { sqs?: SqsBlock }[];
  }>(serverless.functions)) {
    const sqs = events.find((event) => event.sqs)?.sqs;
    if (!sqs) continue;
    const properties = serverless.resources.Resources[sqs.arn["Fn::GetAtt"][0]].Properties;
    found.push({
      service,
      timeout_ms: timeout * 1000,
      batch_size: sqs.batchSize,
      concurrency: sqs.maximumConcurrency,
      visibility_ms: properties.VisibilityTimeout * 1000,
      receives_max: properties.RedrivePolicy.maxReceiveCount,
    });
  }
  return found;
}

function sweeperPeriodMs(): number {
  const [, minutes] = /^rate\((\d+) minutes?\)$/.exec(serverless.functions.sweeper.events[0].schedule) ?? [];
  if (!minutes)
    throw new Error("the sweeper's schedule is no rate in minutes: teach the simulation to read it");
  return Number(minutes) * 60_000;
}

const functions = queueFunctions();

export function readDeployment(stage: "local" | "default"): Deployment {
  const lease_seconds = leases[stage];
  return {
    functions,
    gateway_timeout_ms: serverless.functions.gateway.timeout * 1000,
    sweeper: { timeout_ms: serverless.functions.sweeper.timeout * 1000, period_ms: sweeperPeriodMs() },
    lease_ms: lease_seconds * 1000,
    settings: {
      stage: "local", // embedded metrics, which print to stdout, are for AWS
      table_name: "table",
      artifact_bucket: "bucket",
      lease_seconds,
      shard: "0",
      service_version: "0.1.0",
      s3_force_path_style: false,
      config_directory: "configs",
    },
    retry_policy: { value: retry_policy, hash: sourceHash(retry_policy) },
    artifacts: { value: artifacts, hash: sourceHash(artifacts) },
    workflows,
    sandbox_limits,
    codegen,
  };
}
