import type { Tree } from "../tree/tree.ts";
import { type ConfigurationOption, configurationOptions, typeName } from "./configuration-options.ts";
import { code, GENERATED_NOTE, table } from "./markdown.ts";
import type { PublishedSchema } from "./published-schemas.ts";
import { jsonSchema } from "./schema-file.ts";

const DEFAULT_CHARACTERS_MAX = 100;

/** docs/reference/configuration.md: one table per file in configs/, from `.describe()` and the shipped values. */
export function configurationPage(tree: Tree, schemas: readonly PublishedSchema[]): string {
  const sections = schemas
    .filter(({ name }) => name.startsWith("config."))
    .map((schema) => ({ schema, path: `configs/${schema.name.slice("config.".length)}.json` }))
    .filter(({ path }) => tree.has(path))
    .map(({ schema, path }) => section(schema, path, JSON.parse(tree.read(path))));
  return `${[
    "# Configuration",
    GENERATED_NOTE,
    "Files an operator may change while the platform runs ([how](../configuration.md)). Each is checked " +
      "before it takes effect: an invalid change is refused and the last good one stays in force. `<name>` stands for any key of a " +
      "map, `[]` for each entry of a list. Where the schema states no default, the value shipped in the " +
      "file stands in its place.",
    ...sections,
  ].join("\n\n")}\n`;
}

function section({ schema, description }: PublishedSchema, path: string, shipped: unknown): string {
  const purpose = description.replace(`\`${path}\`: `, "");
  return [`## ${path}`, ...(purpose ? [purpose] : []), optionsTable(schema, shipped)].join("\n\n");
}

/** The options of a schema, or those whose names begin with one of `prefixes`. */
export function optionsTable(
  schema: PublishedSchema["schema"],
  shipped: unknown,
  prefixes: readonly string[] = [""],
): string {
  const rows = configurationOptions(jsonSchema(schema))
    .map((option) => ({ option, name: option.path.join(".").replaceAll(".[]", "[]") }))
    .filter(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)))
    .map(({ option, name }) => [
      code(name),
      typeName(option.schema),
      defaultValue(option, shipped),
      option.schema.description ?? "",
    ]);
  return table(["Option", "Type", "Default", "Description"], rows);
}

function defaultValue({ path, schema, required }: ConfigurationOption, shipped: unknown): string {
  if (schema.default !== undefined) return code(JSON.stringify(schema.default));
  const text = valuesAt(shipped, path, [])
    .map(({ names, value }) => `${names.map((name) => `${name}: `).join("")}${code(JSON.stringify(value))}`)
    .join(", ");
  if (text !== "" && text.length <= DEFAULT_CHARACTERS_MAX) return text;
  return required ? "required" : "none";
}

interface ShippedValue {
  /** The map keys on the way. */
  names: string[];
  value: unknown;
}

/** The scalars an option has in the shipped file; none when it lies in a list. */
function valuesAt(value: unknown, path: readonly string[], names: readonly string[]): ShippedValue[] {
  const [step, ...rest] = path;
  if (step === undefined) return isScalar(value) ? [{ names: [...names], value }] : [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  if (step === "<name>") {
    return Object.entries(value).flatMap(([name, each]) => valuesAt(each, rest, [...names, name]));
  }
  return valuesAt((value as Record<string, unknown>)[step], rest, names);
}

function isScalar(value: unknown): boolean {
  return value !== undefined && (value === null || typeof value !== "object");
}
