import type { CodemodLimits } from "#lib/code/codemod/apply-codemod.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import type { ModelSettings } from "#lib/platform/settings/environment.ts";

/** What generating a change needs beyond the `AgentContext`. */
export interface CodegenPorts {
  source: SourcePorts;
  /** What works on submitted text, under limits. */
  code: Pick<ConfinedCode, "applyDiff" | "createDiff" | "applyCodemod">;
  codemod: CodemodLimits;
  /** Answers changes in words; undefined when none is configured. */
  model?: ModelSettings | undefined;
}
