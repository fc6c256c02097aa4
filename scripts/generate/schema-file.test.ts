import { describe, expect, it } from "vitest";
import { z } from "zod";
import { jsonSchema, schemaFile } from "./schema-file.ts";

describe("schemaFile", () => {
  it("states dialect, id, title and description before the schema itself", () => {
    const schema = z.strictObject({ name: z.string(), limit: z.int().default(3) });
    const text = schemaFile({
      name: "http.query",
      title: "Query",
      description: "A question.",
      module: "schemas/http/query.ts",
      schema,
    });
    expect(JSON.parse(text)).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $id: "urn:distributed-agents:schema:http.query",
      title: "Query",
      description: "A question.",
      required: ["name"],
      additionalProperties: false,
    });
    expect(text.endsWith("}\n")).toBe(true);
  });
});

describe("jsonSchema", () => {
  it("names rules that only parsing checks", () => {
    const schema = z.strictObject({ files: z.string().refine((text) => text !== "", "at least one file") });
    expect(jsonSchema(schema).properties?.files).toEqual({
      type: "string",
      $comment: "Checked at run time only: at least one file",
    });
  });

  it("refuses a type JSON Schema cannot say instead of letting anything through", () => {
    expect(() => jsonSchema(z.strictObject({ at: z.date() }))).toThrow("Date cannot be represented");
  });
});
