import type { ReplayPorts } from "#lib/agents/dlq/dead-letter-queue.ts";
import type { ReplaysConfig } from "#schemas/config/replays.ts";

/** The dependencies of a replay job. */
export interface ReplayJobPorts extends ReplayPorts {
  replays(): ReplaysConfig;
  /** The services that have a queue. */
  services(): string[];
}
