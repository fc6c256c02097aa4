import { awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { s3Client } from "#lib/platform/aws/clients.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import { writeStandardLayout } from "#lib/work/artifacts/standard-layout.ts";
import type { OrchestratorPorts } from "./ports.ts";

/** The orchestrator's ports on AWS and its emulators. */
export function orchestratorPorts(counters: Counters, log: Log): OrchestratorPorts {
  const platform = awsAgentPlatform();
  const { artifact_bucket, service_version, table_name } = platform.settings;
  return {
    ...platform,
    table_name,
    counters,
    log,
    writeStandardLayout: (ledger) =>
      writeStandardLayout(ledger, { s3: s3Client(), bucket: artifact_bucket, service_version }),
  };
}
