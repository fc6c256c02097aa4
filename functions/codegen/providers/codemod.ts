import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { CodemodLimits } from "#lib/code/codemod/apply-codemod.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import type { Provided, ProviderTask } from "./provider-task.ts";

interface CodemodPorts {
  code: Pick<ConfinedCode, "applyCodemod">;
  limits: CodemodLimits;
}

/**
 * Applies the submitted ast-grep rules to the tree.
 *
 * @throws RejectedInput `NO_REPAIR_LEFT` in a repair round: the same rules give the same tree; and the
 *   codes of `applyCodemod`
 */
export async function provideCodemod(
  { change, round, directory }: ProviderTask<"codemod">,
  { blobs }: Pick<AgentContext, "blobs">,
  { code, limits: { rewritten_file_bytes_max, output_bytes_max } }: CodemodPorts,
): Promise<Provided> {
  if (round > 0) {
    throw new RejectedInput(
      "NO_REPAIR_LEFT",
      "A codemod has one try: its rules would give the same change again. Submit better rules.",
    );
  }
  const rules = await blobs.readText(change.rules);
  const limits = { rewritten_file_bytes_max, output_bytes_max };
  return { provider: "codemod", ...(await code.applyCodemod(directory, rules, limits)) };
}
