import { Command, Option } from "commander";
import { AuditList } from "#schemas/http/audit-list.ts";
import { momentOption, whole } from "../parse-option.ts";
import { auditTable } from "../render/audit-table.ts";
import { openSession } from "../session.ts";

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

async function audit(options: AuditOptions, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const { cursor, ...lasting } = options;
  // Instants, not spans: a cursor holds for the very same filters.
  const given = Object.entries(lasting).filter(([, value]) => value !== undefined);
  const again = ["agents audit", ...given.map(([name, value]) => `--${name} ${value}`)].join(" ");
  const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  if (cursor !== undefined) query.set("cursor", cursor);
  const found = await session.api.get(AuditList, `/api/audit?${query}`);
  session.answer(found, () => auditTable(found, session.terminal.paint, again));
}

export function auditCommand(): Command {
  return new Command("audit")
    .summary("show who did what")
    .description("Show who made, rotated and revoked keys, replayed, forced circuits. Needs scope admin.")
    .option("--limit <number>", "how many", whole(1, 100), 20)
    .option("--cursor <cursor>", "go on where another list ended")
    .addOption(new Option("--trail <trail>", "whose").choices(["tenant", "platform"]))
    .option("--action <action>", "only this, for example key.revoke, or all of a kind: key")
    .option("--subject <subject>", "only what this one did, for example key:<key id>")
    .option("--target <target>", "only what was done to this")
    .option("--since <when>", "from then on: 1d, a date or an RFC 3339 instant", momentOption)
    .option("--until <when>", "before then", momentOption)
    .addHelpText("after", EXAMPLES)
    .action(audit);
}
