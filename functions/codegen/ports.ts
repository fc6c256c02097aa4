import type { CodemodLimits } from "#lib/code/codemod/apply-codemod.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { FlagClass } from "#schemas/flags.ts";
import type { TreePorts } from "./providers/describe-tree.ts";
import type { AnswerPorts } from "./providers/stored-answer.ts";

/** What generating a change needs beyond the `AgentContext`. */
export interface CodegenPorts {
  source: SourcePorts;
  /** What works on submitted text, under limits. */
  code: Pick<
    ConfinedCode,
    "applyDiff" | "createDiff" | "applyCodemod" | "showFile" | "readEdits" | "applyEdits"
  >;
  codemod: CodemodLimits;
  model: ModelPorts;
  /** Kinds of flagged files that a model or a coding agent of this task's tenant may change. */
  flaggedFilesAllowed(): readonly FlagClass[];
}

/** What answers changes in words. */
export interface ModelPorts extends AnswerPorts, Pick<TreePorts, "readTree"> {
  /** The model of this task's tenant. Throws RejectedInput `MODEL_NOT_CONFIGURED`, naming the setting; RetryableFault `MODEL_KEY_UNAVAILABLE`. */
  choose(): Promise<ModelChoice>;
  graph: GraphConfig;
}
