import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { OpenApiDocument, Operation } from "#lib/http/openapi/openapi-document.ts";
import { httpRoutes, parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";
import { diskTree, type Tree } from "../tree/tree.ts";
import { openapiFile } from "./openapi-file.ts";
import { publishedSchemas } from "./published-schemas.ts";

let document: OpenApiDocument;
let operations: Operation[];
let edge_sources: string;
beforeAll(async () => {
  const tree: Tree = diskTree(process.cwd());
  const [file] = await openapiFile(tree, await publishedSchemas(tree));
  document = JSON.parse(file?.text ?? "");
  operations = Object.values(document.paths).flatMap((path) => Object.values<Operation>(path));
  edge_sources = tree.files
    .filter((path) => /^functions\/(gateway|retrieval)\/.*(?<!\.test)\.ts$/.test(path))
    .map((path) => tree.read(path))
    .join("\n");
}, 240_000);

/** Every value of a key, however deep. */
function valuesOf(node: unknown, key: string): unknown[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => [
    ...(name === key ? [value] : []),
    ...valuesOf(value, key),
  ]);
}

const describedCodes = () =>
  operations.flatMap(({ responses }) =>
    Object.values(responses).flatMap(({ content }) => {
      const { properties } = (content?.["application/problem+json"]?.schema ?? {}) as {
        properties?: { code: { enum: string[] } };
      };
      return properties?.code.enum ?? [];
    }),
  );

describe("the API's description", () => {
  it("has the routes of serverless.yml, each under a name of its own", () => {
    const declared = Object.values(parseServerless(readFileSync(SERVERLESS_FILE, "utf8")).functions);
    expect(operations.map((operation) => operation["x-route-key"])).toEqual(declared.flatMap(httpRoutes));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it("refers to nothing that is not in it, and has nothing that nobody refers to", () => {
    const references = valuesOf(document, "$ref").map((value) => String(value).split("/").at(-1));
    expect([...new Set(references)].sort()).toEqual(Object.keys(document.components.schemas));
    const led = valuesOf(document.paths, "operationId");
    expect(operations.map(({ operationId }) => operationId)).toEqual(expect.arrayContaining(led));
  });

  it("names every error code that the functions behind it answer with by themselves", () => {
    const described = new Set(describedCodes());
    const given = [...edge_sources.matchAll(/new HttpError\(\s*"(\w+)"/g)].map(([, code = ""]) => code);
    expect(given.length).toBeGreaterThan(20);
    expect(given.filter((code) => !described.has(code))).toEqual([]);
  });

  it("asks for a key and a scope wherever the route does", () => {
    for (const operation of operations) {
      expect([operation.operationId, operation.security.length > 0]).toEqual([
        operation.operationId,
        operation["x-scope"] !== undefined,
      ]);
      expect(Object.keys(operation.responses).includes("401")).toBe(operation.security.length > 0);
    }
  });
});
