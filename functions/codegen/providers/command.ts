import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import { dollars } from "#lib/work/artifacts/markdown-text.ts";
import type { CodegenInput } from "#schemas/messages/codegen.ts";
import type { AgentUse } from "#schemas/messages/coder.ts";
import type { Provided, ProviderTask } from "./provider-task.ts";

type CommandTask = ProviderTask<"command"> & Pick<CodegenInput, "agent_diff" | "agent_run" | "spent">;

/**
 * Applies what a coding agent changed, which the step before took as a diff (functions/coder), by the rules of any diff.
 *
 * @throws TerminalFault `PAYLOAD_INVALID` when no step ran the agent; the codes of `applyDiff`
 */
export async function applyAgentDiff(
  { change, round, directory, agent_diff, agent_run, spent }: CommandTask,
  { blobs }: Pick<AgentContext, "blobs">,
  { applyDiff }: Pick<ConfinedCode, "applyDiff">,
): Promise<Provided> {
  if (!agent_diff || !agent_run) {
    throw new TerminalFault(
      "PAYLOAD_INVALID",
      "The task names a coding agent, and no step of its workflow ran it: configs/workflows.json needs a step of the agent coder before this one.",
    );
  }
  await applyDiff(directory, await blobs.read(agent_diff));
  const notes = [
    `Made by the coding agent ${agent_run.name}; what it printed is in \`${agent_run.log}\`. Its use of models: ${useWords(agent_run.use)}.`,
  ];
  const asked = redactSecrets(await blobs.readText(change.text));
  const agent = {
    ...agent_run,
    rounds: round + 1,
    task_tokens: spent?.tokens ?? null,
    task_usd: spent ? spent.usd_micros / 1e6 : null,
  };
  return { provider: "command", asked, notes, agent, ...(spent && { spent }) };
}

/** `1,200 tokens, 0.0100 USD, as it states`; what it does not say is said to be so. */
function useWords(use: AgentUse | null): string {
  if (!use || (use.tokens === null && use.usd === null)) return "not stated";
  const tokens = use.tokens === null ? "tokens not stated" : `${use.tokens} tokens`;
  return `${tokens}, ${use.usd === null ? "money not stated" : dollars(use.usd)}, as it states`;
}
