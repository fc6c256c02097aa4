import type { Platform } from "#lib/agents/agent/platform.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Counters } from "#lib/platform/metrics/counters.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";

/** What the orchestrator needs of its surroundings. */
export interface OrchestratorPorts extends Platform {
  table_name: string;
  counters: Counters;
  log: Log;
  writeStandardLayout(ledger: Ledger): Promise<void>;
}
