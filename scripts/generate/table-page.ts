import { INDEXES, type ItemKind, type Lifetime, type TableAction } from "#lib/platform/table/item-kind.ts";
import { AGENT_ACCESS, QUEUE_ACCESS } from "../serverless/access/grants.ts";
import { ITEM_KINDS } from "../serverless/access/table-grants.ts";
import { parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";
import type { Tree } from "../tree/tree.ts";
import { code, GENERATED_NOTE, table } from "./markdown.ts";
import type { PublishedSchema } from "./published-schemas.ts";

/** docs/reference/table.md, from the catalogue in lib/platform/table/items.ts and the functions of serverless.yml. */
export function tablePage(
  tree: Tree,
  schemas: readonly PublishedSchema[],
  kinds: Readonly<Record<string, ItemKind>> = ITEM_KINDS,
): string {
  const holders = functionsByDuty(tree);
  return `${[
    "# The table",
    GENERATED_NOTE,
    "All records are items of one DynamoDB table. Each kind of item is declared once, in " +
      "[lib/platform/table/items.ts](../../lib/platform/table/items.ts): keys, indexes, lifetime, and which duty of a function " +
      "does what with it. The keys, the roles of the functions and this page are made of that. In a key `<field>` stands for " +
      "the record's field. DynamoDB deletes an item some time after the Unix time in s in its `expires_at`; until then the " +
      "code treats it as absent.",
    table(
      ["Kind", "Partition key", "Sort key", "Kept"],
      Object.entries(kinds).map(([name, { partition, sort, kept }]) => [
        `[${title(name)}](#${title(name).replaceAll(" ", "-")})`,
        code(partition),
        code(sort),
        lifetime(kept),
      ]),
    ),
    "## Indexes",
    table(
      ["Index", "Partition key", "Sort key", "Holds of an item"],
      Object.entries(INDEXES).map(([name, { partition, sort, holds }]) => [
        code(name),
        code(partition),
        code(sort),
        holds === "ALL" ? "all attributes" : "its keys",
      ]),
    ),
    ...Object.entries(kinds).flatMap(([name, kind]) => section(name, kind, schemas, holders)),
  ].join("\n\n")}\n`;
}

function section(
  name: string,
  kind: ItemKind,
  schemas: readonly PublishedSchema[],
  holders: ReadonlyMap<string, readonly string[]>,
): string[] {
  const lists = Object.entries(kind.lists ?? {}).map(([index, { partition, sort, when }]) => [
    code(index),
    code(partition),
    code(sort),
    when,
  ]);
  const access = Object.entries(kind.access).map(([duty, actions]) => [
    code(duty),
    actions.map(actionText).join(", "),
    (holders.get(duty) ?? []).join(", ") || "none",
  ]);
  return [
    `## ${title(name)}`,
    `${kind.about}.${recordSentence(name, kind, schemas)}`,
    ...(lists.length > 0 ? [table(["Listed in", "Partition key", "Sort key", "When"], lists)] : []),
    access.length > 0 ? table(["Duty", "Does", "Functions"], access) : "No function of this system uses it.",
  ];
}

/** Throws when the catalogue names a schema that is not published from schemas/records. */
function recordSentence(name: string, { record }: ItemKind, schemas: readonly PublishedSchema[]): string {
  if (record === undefined) return "";
  const found = schemas.find(
    ({ title: exported, module }) => exported === record && module.includes("records/"),
  );
  if (!found)
    throw new Error(`${name} in items.ts has the record ${record}, which no file in schemas/records exports`);
  return ` Fields: [${code(record)}](../../schemas/json/${found.name}.schema.json).`;
}

function title(name: string): string {
  return name.toLowerCase().replaceAll("_", " ");
}

function lifetime(kept: Lifetime): string {
  if (typeof kept === "string") return kept;
  return "days" in kept ? `${kept.days} days after ${kept.after}` : `${kept.set_by}, after ${kept.after}`;
}

function actionText(action: TableAction): string {
  if (typeof action === "string") return action;
  return `UpdateItem of ${action.UpdateItem.map(code).join(", ")} only`;
}

/** Which functions have a duty, by its name in `access:`. */
function functionsByDuty(tree: Tree): Map<string, string[]> {
  const holders = new Map<string, string[]>();
  const { functions } = parseServerless(tree.read(SERVERLESS_FILE));
  for (const [name, declaration] of Object.entries(functions)) {
    const { agent, access } = declaration as { agent?: unknown; access?: string[] };
    const duties = [...(access ?? (agent ? AGENT_ACCESS : [])), ...(agent ? QUEUE_ACCESS : [])];
    for (const duty of new Set(duties)) holders.set(duty, [...(holders.get(duty) ?? []), name]);
  }
  return holders;
}
