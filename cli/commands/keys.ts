import { Command, Option } from "commander";
import { KeyList, KeyView, NewKey } from "#schemas/http/keys.ts";
import { Scope } from "#schemas/records/api-key.ts";
import { addGrace, addPaging, askAndShow, queryOf } from "../ask-and-show.ts";
import { scopesOption, spanOption } from "../parse-option.ts";
import { keyLines, keyTable, newKeyLines } from "../render/key-table.ts";

const DAY_MS = 86_400_000;

const EXAMPLES = `
Examples:
  $ agents keys create --name ci --scopes submit,read --expires 30d
  $ agents keys list
  $ agents keys rotate 3f0c… --grace 48h    the old key works two days more
  $ agents keys revoke 3f0c…
  $ export AGENTS_KEY=$(agents keys create --name ci --scopes submit,read --json | jq -r .key)

Scopes: submit (work, and cancel it), read (tasks, artifacts, the code graph), operate (the platform),
admin (keys and the audit trail). A key has the scopes it lists and no others.`;

const path = (key_id: string) => `/api/keys/${encodeURIComponent(key_id)}`;

interface CreateOptions {
  name: string;
  scopes: Scope[];
  expires?: number;
}

const create = askAndShow({
  interrupted: "A key may have been made: agents keys list",
  ask: (api, { name, scopes, expires }: CreateOptions) => {
    const expires_in_days = expires === undefined ? undefined : Math.max(1, Math.ceil(expires / DAY_MS));
    return api.post(NewKey, "/api/keys", { body: { name, scopes, expires_in_days } });
  },
  lines: newKeyLines,
});

const list = askAndShow({
  ask: (api, { limit, cursor }: { limit: number; cursor?: string }) =>
    api.get(KeyList, `/api/keys${queryOf({ limit, cursor })}`),
  lines: (found, paint) => keyTable(found, paint, Date.now()),
});

const rotate = askAndShow({
  interrupted: "It may have been rotated: agents keys list",
  ask: (api, key_id: string, { grace }: { grace?: number }) =>
    api.post(NewKey, `${path(key_id)}/rotate${queryOf({ grace_hours: grace })}`),
  lines: newKeyLines,
});

const revoke = askAndShow({
  interrupted: "It may have been revoked: agents keys list",
  ask: (api, key_id: string) => api.post(KeyView, `${path(key_id)}/revoke`),
  lines: keyLines,
});

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
  addPaging(keys.command("list").description("list keys, newest first")).action(list);
  addGrace(
    keys
      .command("rotate <key_id>")
      .description("make its successor, which works at once; the old key works until its grace ends"),
    "how long the old key still works, for example 48h",
  ).action(rotate);
  keys.command("revoke <key_id>").description("end a key for good, within seconds").action(revoke);
  return keys;
}
