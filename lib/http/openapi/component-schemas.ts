import { z } from "zod";
import type { SchemaNode } from "#lib/http/openapi/openapi-document.ts";

/** A published schema under the name by which others refer to it. */
export interface NamedSchema {
  title: string;
  description: string;
  schema: z.ZodType;
}

/** Converts schemas one after another, collecting those with a name as components that refer to each other. */
export interface ComponentSchemas {
  /** What stands for a schema: a reference when it has a name, else itself. */
  node(schema: z.ZodType, io: "input" | "output"): SchemaNode;
  /** Every component that was referred to, from components too, by name. */
  used(): Record<string, SchemaNode>;
}

const PREFIX = "#/components/schemas/";

/**
 * `io` says from whose side a schema is seen: fields with a default may be left out of what is sent and
 * are always in what is answered. Throws when a component would have to be both.
 */
export function componentSchemas(named: readonly NamedSchema[]): ComponentSchemas {
  const sides = { input: convertAll(named, "input"), output: convertAll(named, "output") };
  const used = new Map<string, SchemaNode>();
  const titles = new Map(named.map(({ schema, title }) => [schema, title]));

  function use(title: string, io: "input" | "output"): void {
    const component = sides[io][title];
    if (!component) throw new Error(`${title} has no JSON Schema.`);
    const before = used.get(title);
    if (before && JSON.stringify(before) !== JSON.stringify(component)) {
      throw new Error(`${title} is sent and answered in different forms: give each a schema of its own.`);
    }
    if (before) return;
    used.set(title, component);
    for (const other of references(component)) use(other, io);
  }

  return {
    node(schema, io) {
      const title = titles.get(schema);
      if (title !== undefined) {
        use(title, io);
        return { $ref: `${PREFIX}${title}` };
      }
      const { $schema: _, ...node } = z.toJSONSchema(schema, { io });
      return node;
    },
    used: () => Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function convertAll(named: readonly NamedSchema[], io: "input" | "output"): Record<string, SchemaNode> {
  const registry = z.registry<{ id: string; description?: string }>();
  for (const { schema, title, description } of named) {
    registry.add(schema, { id: title, ...(description && { description }) });
  }
  const { schemas } = z.toJSONSchema(registry, { io, uri: (id) => `${PREFIX}${id}` });
  return Object.fromEntries(
    Object.entries(schemas).map(([title, { $schema: _, $id: _1, ...node }]) => [title, node as SchemaNode]),
  );
}

function references(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === "$ref" && typeof value === "string" && value.startsWith(PREFIX)
      ? [value.slice(PREFIX.length)]
      : references(value),
  );
}
