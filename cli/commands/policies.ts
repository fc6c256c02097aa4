import { Command } from "commander";
import { Policies } from "#schemas/http/policies.ts";
import { policyTable } from "../render/policy-table.ts";
import { openSession } from "../session.ts";

const EXAMPLES = `
Examples:
  $ agents policies
  $ agents policies --json | jq -r '.policies[] | select(.state != "in_force") | .reason'`;

async function policies(_options: object, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const answer = await session.api.get(Policies, "/api/policies");
  session.answer(answer, () => policyTable(answer, session.terminal.paint));
}

export function policiesCommand(): Command {
  return new Command("policies")
    .summary("show the configuration in force, and changes that were refused")
    .description("Show which version of each file in configs/ is in force, and the last change refused.")
    .addHelpText("after", EXAMPLES)
    .action(policies);
}
