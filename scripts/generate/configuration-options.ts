import type { JsonSchema } from "./schema-file.ts";

export interface ConfigurationOption {
  /** Keys from the root; `<name>` is any key of a map, `[]` each entry of a list. */
  path: string[];
  schema: JsonSchema;
  required: boolean;
}

const DEPTH_MAX = 12;

/** Every option of a configuration schema, in the order of the schema; `$schema` is left out. */
export function configurationOptions(root: JsonSchema): ConfigurationOption[] {
  return children(root, []).filter(({ path }) => path[0] !== "$schema");
}

function children(schema: JsonSchema & { required?: string[] }, path: string[]): ConfigurationOption[] {
  if (path.length > DEPTH_MAX) throw new Error(`Configuration deeper than ${DEPTH_MAX} at ${path.join(".")}`);
  const options: ConfigurationOption[] = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const option = { path: [...path, name], schema: property, required: !!schema.required?.includes(name) };
    const below = children(property, option.path);
    if (below.length === 0 || property.description !== undefined) options.push(option);
    options.push(...below);
  }
  const values = schema.additionalProperties;
  if (typeof values === "object" && values.properties) options.push(...children(values, [...path, "<name>"]));
  if (schema.items?.properties) options.push(...children(schema.items, [...path, "[]"]));
  for (const branch of schema.anyOf ?? schema.oneOf ?? []) options.push(...children(branch, path));
  return uniqueByPath(options);
}

/** Branches of a union repeat their discriminator: the first one speaks for all. */
function uniqueByPath(options: ConfigurationOption[]): ConfigurationOption[] {
  return [
    ...new Map(options.toReversed().map((option) => [option.path.join("."), option])).values(),
  ].reverse();
}

/** `integer ≥ 1`, `list of text`, `"full" or "reduced"`: a schema's type in a few words. */
export function typeName(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) return [...new Set(branches.map(typeName))].join(" or ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeName({ type })).join(" or ");
  if (schema.type === "string") return "text";
  if (schema.type === "integer" || schema.type === "number") return schema.type + bounds(schema);
  if (schema.type === "array") return `list of ${schema.items ? typeName(schema.items) : "anything"}`;
  if (schema.type === "object") {
    return typeof schema.additionalProperties === "object"
      ? `map of ${typeName(schema.additionalProperties)}`
      : "object";
  }
  return schema.type ?? "anything";
}

function bounds({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const highest = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (minimum !== undefined && highest !== undefined) return ` ${minimum} to ${highest}`;
  if (exclusiveMinimum !== undefined) return ` > ${exclusiveMinimum}`;
  if (minimum !== undefined) return ` ≥ ${minimum}`;
  return highest === undefined ? "" : ` ≤ ${highest}`;
}
