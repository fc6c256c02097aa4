import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import type { CodegenInput } from "#schemas/messages/codegen.ts";
import type { Provided, ProviderTask } from "./provider-task.ts";

type CommandTask = ProviderTask<"command"> & Pick<CodegenInput, "agent_diff" | "agent_run">;

/**
 * Applies what a coding agent changed, which the step before took as a diff (functions/coder), by the rules of any diff.
 *
 * @throws TerminalFault `PAYLOAD_INVALID` when no step ran the agent; the codes of `applyDiff`
 */
export async function applyAgentDiff(
  { change, directory, agent_diff, agent_run }: CommandTask,
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
  const notes = [`Made by the coding agent ${agent_run.name}; what it printed is in \`${agent_run.log}\`.`];
  const asked = redactSecrets(await blobs.readText(change.text));
  return { provider: "command", asked, notes, agent: agent_run };
}
