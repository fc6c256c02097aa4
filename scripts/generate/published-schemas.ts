import { ts } from "@ast-grep/napi";
import { z } from "zod";
import type { Tree } from "../tree/tree.ts";
import { docstringAbove } from "./docstring.ts";

/** One schema the outside world may rely on. */
export interface PublishedSchema {
  /** `<group>.<snake_name>`, for example `message.codegen_input`: the file in schemas/json without its ending. */
  name: string;
  /** The export it comes from, for example `CodegenInput`. */
  title: string;
  /** First sentences of its docstring, or "". */
  description: string;
  module: string;
  schema: z.ZodType;
}

/**
 * schemas/<folder>/ → first part of the name. Where the group says the suffix already, the name
 * drops it, and an export without it is a part of another schema, not published by itself.
 */
const GROUPS = [
  { folder: "messages", group: "message", published: /^(.+)$/ },
  { folder: "records", group: "record", published: /^(.+)Record$/ },
  { folder: "artifacts", group: "artifact", published: /^(.+?)(?:Artifact)?$/ },
  { folder: "config", group: "config", published: /^(.+)Config$/ },
  { folder: "http", group: "http", published: /^(.+)$/ },
] as const;

/**
 * Every published zod schema exported from a folder of schemas/, sorted by name. A new schema is published by
 * exporting it; there is no list to keep. Throws when two exports would get the same name.
 */
export async function publishedSchemas(tree: Tree): Promise<PublishedSchema[]> {
  const found = new Map<string, PublishedSchema>();
  for (const { folder, group, published } of GROUPS) {
    const pattern = new RegExp(`^schemas/${folder}/[a-z0-9-]+\\.ts$`);
    for (const module of tree.files.filter((path) => pattern.test(path))) {
      const docstrings = exportDocstrings(tree.read(module));
      for (const [title, schema] of Object.entries(await tree.load(module))) {
        const stem = published.exec(title)?.[1];
        if (!stem || !(schema instanceof z.ZodType)) continue;
        const name = `${group}.${snakeCase(stem)}`;
        const before = found.get(name);
        if (before) {
          throw new Error(`${module} and ${before.module} both export schema ${name}: rename one.`);
        }
        found.set(name, { name, title, description: docstrings.get(title) ?? "", module, schema });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `CodegenInput` → `codegen_input`. */
export function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase();
}

/** Name of each exported constant → the text of the docstring right above it. */
export function exportDocstrings(source: string): Map<string, string> {
  const docstrings = new Map<string, string>();
  for (const statement of ts
    .parse(source)
    .root()
    .findAll({ rule: { kind: "export_statement" } })) {
    const name = statement
      .find({ rule: { kind: "variable_declarator" } })
      ?.field("name")
      ?.text();
    const text = docstringAbove(statement);
    if (name && text) docstrings.set(name, text);
  }
  return docstrings;
}
