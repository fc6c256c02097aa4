import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { realTable } from "../fakes/real-table.ts";

const ITEMS = "lib/platform/table/items.ts";
const STORE = "lib/work/notes/note-store.ts";
const directory = temporaryDirectory("new-item");
let store: Awaited<ReturnType<typeof realTable>>;
beforeAll(async () => {
  store = await realTable();
});
afterAll(async () => {
  await store?.close();
});

/** The code blocks of the recipe, each under the last file name in backquotes before it. */
function recipe(): Map<string, string> {
  const text = readFileSync("CONTRIBUTING.md", "utf8");
  const [section = ""] = text.slice(text.indexOf("## Add a table item")).split("\n## ", 1);
  const blocks = new Map<string, string>();
  let file = "";
  for (const [, name, code] of section.matchAll(/`([\w./-]+\.ts)`|```\w+\n([\s\S]*?)```/g)) {
    if (name) file = name;
    else blocks.set(file, code ?? "");
  }
  return blocks;
}

/** Uses the store, and says what else follows from the catalogue. */
const PROBE = `
import { tableClient } from "#lib/platform/aws/clients.ts";
import { createNote, listNotes, readNote } from "#lib/work/notes/note-store.ts";
import { grantedBy } from "./scripts/serverless/access/grants.ts";
import { tablePage } from "./scripts/generate/table-page.ts";
import { publishedSchemas } from "./scripts/generate/published-schemas.ts";
import { diskTree } from "./scripts/tree/tree.ts";

const { endpoint, table_name } = JSON.parse(process.argv[2]);
const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const table = tableClient({ endpoint, region: "us-east-1", credentials });
const at = (now) => ({ table, table_name, runtime: { now: () => now } });
const note = { tenant: "acme", note_id: "1", text: "first" };
const created = [
  await createNote(note, at(1_800_000_000_000)),
  await createNote({ ...note, text: "other" }, at(1_800_000_001_000)),
  await createNote({ ...note, note_id: "2", text: "second" }, at(1_800_000_002_000)),
  await createNote({ ...note, tenant: "globex", text: "theirs" }, at(1_800_000_003_000)),
];
const tree = diskTree(process.cwd());
console.log(JSON.stringify({
  created,
  read: (await readNote(note, at(0)))?.text,
  missing: (await readNote({ ...note, note_id: "3" }, at(0)))?.text ?? null,
  listed: (await listNotes("acme", at(0))).map(({ text }) => text),
  grants: grantedBy(["keep_notes"], { queues: {}, dead_letter_queues: {} }),
  page: tablePage(tree, await publishedSchemas(tree)),
}));
`;

function follow(blocks: Map<string, string>): void {
  for (const part of [
    "lib",
    "schemas",
    "scripts",
    "cli",
    "local",
    "configs",
    "package.json",
    "serverless.yml",
  ]) {
    cpSync(part, join(directory, part), { recursive: true });
  }
  symlinkSync(resolve("node_modules"), join(directory, "node_modules"));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  write(ITEMS, `${readFileSync(ITEMS, "utf8")}\n${blocks.get(ITEMS)}`);
  write(STORE, blocks.get(STORE) ?? "");
  const serverless = readFileSync("serverless.yml", "utf8");
  const access = "access: [advance_tasks, ";
  expect(serverless).toContain(access);
  write("serverless.yml", serverless.replace(access, `${access}keep_notes, `));
  write("probe.ts", PROBE);
}

describe("a table item added by the recipe in CONTRIBUTING.md", () => {
  it("has its keys, its list, its part of a role and its section of the reference from one constant", async () => {
    const blocks = recipe();
    expect([...blocks.keys()]).toEqual([ITEMS, STORE]);
    follow(blocks);
    const { endpoint } = store.table.config as { endpoint?: () => Promise<{ port?: number }> };
    const { port } = (await endpoint?.()) ?? {};
    const facts = JSON.stringify({ endpoint: `http://127.0.0.1:${port}`, table_name: store.table_name });
    const { stdout } = await promisify(execFile)(process.execPath, ["probe.ts", facts], { cwd: directory });
    const { grants, page, ...found } = JSON.parse(stdout);
    expect(found).toEqual({
      created: [true, false, true, true],
      read: "first",
      missing: null,
      listed: ["second", "first"],
    });
    const text = JSON.stringify(grants);
    for (const part of ["GetItem", "PutItem", '"NOTES#*"', '"NOTES_BY_TIME#*"', "index/by_tenant"]) {
      expect(text).toContain(part);
    }
    expect(text).not.toMatch(/UpdateItem|DeleteItem|TASK#/);
    expect(page).toContain("| `keep_notes` | PutItem, GetItem, Query by_tenant | orchestrator |");
    expect(page).toContain(
      "| [note](#note) | `NOTES#<tenant>` | `<note_id>` | 30 days after it was written |",
    );
  });
});
