import type { SourcePorts } from "#lib/source/source-ports.ts";

/** What generating a change needs beyond the `AgentContext`. */
export interface CodegenPorts {
  source: SourcePorts;
}
