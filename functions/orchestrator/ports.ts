import type { Loaded } from "#lib/platform/config/config-file.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { SendPorts } from "#lib/platform/messages/send-message.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import type { Claims } from "#lib/resilience/idempotency/step-claims.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import type { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import type { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";

/** The dependencies of the orchestrator. */
export interface OrchestratorPorts extends SendPorts {
  table: TableClient;
  table_name: string;
  claims: Pick<Claims, "cancel">;
  counters: Counters;
  log: Log;
  artifacts(): Loaded<ArtifactsConfig>;
  retryPolicy(): Loaded<RetryPolicyConfig>;
  writeStandardLayout(ledger: Ledger): Promise<void>;
}
