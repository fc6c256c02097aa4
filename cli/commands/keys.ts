import { Command, Option } from "commander";
import { KeyList, KeyView, NewKey } from "#schemas/http/keys.ts";
import { Scope } from "#schemas/records/api-key.ts";
import { scopesOption, spanOption, whole } from "../parse-option.ts";
import { keyLines, keyTable, newKeyLines } from "../render/key-table.ts";
import { openSession } from "../session.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const EXAMPLES = `
Examples:
  $ agents keys create --name ci --scopes submit,read --expires 30d
  $ agents keys list
  $ agents keys rotate 3f0c… --grace 48h    the old key works two days more
  $ agents keys revoke 3f0c…
  $ export AGENTS_KEY=$(agents keys create --name ci --scopes submit,read --json | jq -r .key)

Scopes: submit (work, and cancel it), read (tasks, artifacts, the code graph), operate (the platform),
admin (keys and the audit trail). A key has the scopes it lists and no others.`;

interface CreateOptions {
  name: string;
  scopes: Scope[];
  expires?: number;
}

async function create({ name, scopes, expires }: CreateOptions, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["A key may have been made: agents keys list"];
  const expires_in_days = expires === undefined ? undefined : Math.max(1, Math.ceil(expires / DAY_MS));
  const made = await session.api.post(NewKey, "/api/keys", { body: { name, scopes, expires_in_days } });
  session.answer(made, () => newKeyLines(made, session.terminal.paint));
}

async function list(options: { limit: number; cursor?: string }, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const query = new URLSearchParams({ limit: String(options.limit) });
  if (options.cursor !== undefined) query.set("cursor", options.cursor);
  const found = await session.api.get(KeyList, `/api/keys?${query}`);
  session.answer(found, () => keyTable(found, session.terminal.paint, Date.now()));
}

async function rotate(key_id: string, { grace }: { grace?: number }, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["It may have been rotated: agents keys list"];
  const query = grace === undefined ? "" : `?grace_hours=${Math.ceil(grace / HOUR_MS)}`;
  const made = await session.api.post(NewKey, `/api/keys/${encodeURIComponent(key_id)}/rotate${query}`);
  session.answer(made, () => newKeyLines(made, session.terminal.paint));
}

async function revoke(key_id: string, _options: object, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["It may have been revoked: agents keys list"];
  const view = await session.api.post(KeyView, `/api/keys/${encodeURIComponent(key_id)}/revoke`);
  session.answer(view, () => keyLines(view, session.terminal.paint));
}

export function keysCommand(): Command {
  const keys = new Command("keys")
    .summary("make, list, rotate and revoke API keys")
    .description("Manage your tenant's API keys. Needs a key with scope admin.")
    .addHelpText("after", EXAMPLES);
  keys
    .command("create")
    .description("make a key; it is shown this once")
    .requiredOption("--name <name>", "what it is for")
    .addOption(
      new Option("--scopes <scopes>", `comma-separated: ${Scope.options.join(", ")}`)
        .argParser(scopesOption)
        .makeOptionMandatory(),
    )
    .option(
      "--expires <span>",
      "when it stops working, in whole days, for example 30d (default: the stage's)",
      spanOption,
    )
    .action(create);
  keys
    .command("list")
    .description("list keys, newest first")
    .option("--limit <number>", "how many", whole(1, 100), 20)
    .option("--cursor <cursor>", "go on where another list ended")
    .action(list);
  keys
    .command("rotate <key_id>")
    .description("make its successor, which works at once; the old key works until its grace ends")
    .option("--grace <span>", "how long the old key still works, for example 48h", spanOption)
    .action(rotate);
  keys.command("revoke <key_id>").description("end a key for good, within seconds").action(revoke);
  return keys;
}
