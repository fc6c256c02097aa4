import type { ModelSettings } from "#lib/config/environment.ts";
import type { SourcePorts } from "#lib/source/source-ports.ts";

/** What generating a change needs beyond the `AgentContext`. */
export interface CodegenPorts {
  source: SourcePorts;
  /** Answers changes in words; undefined when none is configured. */
  model?: ModelSettings | undefined;
}
