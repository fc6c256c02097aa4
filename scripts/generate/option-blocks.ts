import type { Tree } from "../tree/tree.ts";
import { optionsTable } from "./configuration-page.ts";
import type { GeneratedFile } from "./generated-file.ts";
import type { PublishedSchema } from "./published-schemas.ts";

const FOLDER = /^docs\/reference\/[^/]+\.md$/;
/** `<!-- options: <stem> <prefix>… -->`, whatever stands there, `<!-- /options -->`. */
const BLOCK = /(<!-- options: ([a-z_]+)((?: [^ ]+)*) -->\n)[\s\S]*?(<!-- \/options -->)/g;

/**
 * Pages of docs/reference/ written by hand, with the tables of options in them filled in from the
 * schema and the shipped values. Throws when a page asks for a configuration file there is none of.
 */
export function optionBlocks(tree: Tree, schemas: readonly PublishedSchema[]): GeneratedFile[] {
  return tree.files
    .filter((path) => FOLDER.test(path))
    .map((path) => ({ path, text: tree.read(path) }))
    .filter(({ text }) => text.match(BLOCK))
    .map(({ path, text }) => ({ path, text: fillIn(text, path, tree, schemas) }));
}

function fillIn(text: string, page: string, tree: Tree, schemas: readonly PublishedSchema[]): string {
  return text.replace(BLOCK, (_, begin: string, stem: string, names: string, end: string) => {
    const schema = schemas.find(({ name }) => name === `config.${stem}`);
    if (!schema) throw new Error(`${page} asks for the options of ${stem}: there is no such configuration`);
    const shipped = JSON.parse(tree.read(`configs/${stem}.json`));
    const prefixes = names.trim() === "" ? [""] : names.trim().split(" ");
    return `${begin}\n${optionsTable(schema.schema, shipped, prefixes)}\n\n${end}`;
  });
}
