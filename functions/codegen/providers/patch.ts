import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import type { Provided, ProviderTask } from "./provider-task.ts";

/**
 * Applies the submitted diff of this round; each is against the unchanged source.
 *
 * @throws RejectedInput `NO_REPAIR_LEFT` when no diff is left, and the codes of `applyDiff`
 */
export async function applyPatch(
  { change, round, directory }: ProviderTask<"patch">,
  context: Pick<AgentContext, "blobs">,
  { applyDiff }: Pick<ConfinedCode, "applyDiff">,
): Promise<Provided> {
  const diff = change.diffs[round];
  if (diff === undefined) {
    throw new RejectedInput(
      "NO_REPAIR_LEFT",
      `All ${change.diffs.length} submitted diffs have been tried. Give more of them as fallback_diffs, or a better one.`,
    );
  }
  await applyDiff(directory, await context.blobs.readText(diff));
  return { provider: "patch", notes: [`Submitted diff ${round + 1} of ${change.diffs.length}.`] };
}
