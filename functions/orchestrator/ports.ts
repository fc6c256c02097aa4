import type { Platform } from "#lib/agent/platform.ts";
import type { Log } from "#lib/log/log.ts";
import type { Counters } from "#lib/metrics/counters.ts";
import type { Ledger } from "#lib/tasks/task-store.ts";

/** What the orchestrator needs of its surroundings. */
export interface OrchestratorPorts extends Platform {
  table_name: string;
  counters: Counters;
  log: Log;
  writeStandardLayout(ledger: Ledger): Promise<void>;
}
