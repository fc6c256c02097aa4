import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import type { ModelSettings } from "#lib/platform/settings/environment.ts";

/** What generating a change needs beyond the `AgentContext`. */
export interface CodegenPorts {
  source: SourcePorts;
  /** Answers changes in words; undefined when none is configured. */
  model?: ModelSettings | undefined;
}
