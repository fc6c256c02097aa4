import { z } from "zod";
import type { PublishedSchema } from "./published-schemas.ts";

/** A JSON Schema node, as far as the generators look into it. */
export interface JsonSchema {
  $schema?: string;
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/**
 * JSON Schema (draft 2020-12) of what a writer may send, so fields with a default are optional.
 * Throws for a type JSON Schema cannot say: describe it with one it can. A `refine()` rule has no
 * JSON Schema; it is named in `$comment`, and parsing with zod stays the authority.
 */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema: node }) => {
      const rules = runtimeRules(zodSchema);
      if (rules.length > 0) node.$comment = `Checked at run time only: ${rules.join("; ")}`;
    },
  }) as JsonSchema;
}

/** Text of `schemas/json/<name>.schema.json`. */
export function schemaFile({ name, title, description, schema }: PublishedSchema): string {
  const { $schema, ...body } = jsonSchema(schema);
  const head = { $schema, $id: `urn:distributed-agents:schema:${name}`, title };
  return `${JSON.stringify({ ...head, ...(description ? { description } : {}), ...body }, undefined, 2)}\n`;
}

function runtimeRules(schema: z.core.$ZodType): string[] {
  return (schema._zod.def.checks ?? []).flatMap((check) => {
    const definition = check._zod.def as z.core.$ZodCheckDef & { error?: z.core.$ZodErrorMap };
    if (definition.check !== "custom") return [];
    const message = definition.error?.({ code: "custom", input: undefined, path: [] } as never);
    return [(typeof message === "string" ? message : message?.message) ?? "a rule without a message"];
  });
}
