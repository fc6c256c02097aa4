import { Command } from "commander";
import { Policies } from "#schemas/http/policies.ts";
import { askAndShow } from "../ask-and-show.ts";
import { policyTable } from "../render/policy-table.ts";

const EXAMPLES = `
Examples:
  $ agents policies
  $ agents policies --json | jq -r '.policies[] | select(.state != "in_force") | .reason'`;

const policies = askAndShow({ ask: (api) => api.get(Policies, "/api/policies"), lines: policyTable });

export function policiesCommand(): Command {
  return new Command("policies")
    .summary("show the configuration in force, and changes that were refused")
    .description("Show which version of each file in configs/ is in force, and the last change refused.")
    .addHelpText("after", EXAMPLES)
    .action(policies);
}
