import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import type { Provided, ProviderTask } from "./provider-task.ts";

/**
 * Applies the submitted diff of this round, as bytes; each is against the unchanged source.
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
      `${tried(change.diffs.length)} Submit a better one, or several: one as the change and others to fall back on (--fallback-patch, \`fallback_diffs\` in the API).`,
    );
  }
  const { strip, directory: below } = change;
  await applyDiff(directory, await context.blobs.read(diff), { strip, directory: below });
  const count = change.diffs.length;
  return { provider: "patch", notes: count === 1 ? [] : [`Submitted diff ${round + 1} of ${count}.`] };
}

function tried(count: number): string {
  return count === 1 ? "The submitted diff has been tried." : `All ${count} submitted diffs have been tried.`;
}
