import { Command, Option } from "commander";
import { AuditList } from "#schemas/http/audit-list.ts";
import { addPaging, askAndShow, commandAgain, queryOf } from "../ask-and-show.ts";
import { momentOption } from "../parse-option.ts";
import { auditTable } from "../render/audit-table.ts";

interface AuditOptions {
  limit: number;
  cursor?: string;
  trail?: string;
  action?: string;
  subject?: string;
  target?: string;
  since?: string;
  until?: string;
}

const EXAMPLES = `
Examples:
  $ agents audit --since 7d
  $ agents audit --action key               all that was done to keys
  $ agents audit --subject key:3f0c…        what the bearer of a key did
  $ agents audit --trail platform           changes of configuration`;

const audit = askAndShow({
  // Instants, not spans: a cursor holds for the very same filters.
  ask: (api, options: AuditOptions) => api.get(AuditList, `/api/audit${queryOf({ ...options })}`),
  lines: (found, paint, [options]) => auditTable(found, paint, commandAgain("agents audit", { ...options })),
});

export function auditCommand(): Command {
  return addPaging(new Command("audit"))
    .summary("show who did what")
    .description("Show who made, rotated and revoked keys, replayed, forced circuits. Needs scope admin.")
    .addOption(new Option("--trail <trail>", "whose").choices(["tenant", "platform"]))
    .option("--action <action>", "only this, for example key.revoke, or all of a kind: key")
    .option("--subject <subject>", "only what this one did, for example key:<key id>")
    .option("--target <target>", "only what was done to this")
    .option("--since <when>", "from then on: 1d, a date or an RFC 3339 instant", momentOption)
    .option("--until <when>", "before then", momentOption)
    .addHelpText("after", EXAMPLES)
    .action(audit);
}
