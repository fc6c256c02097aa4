import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { OpenApiDocument, Operation } from "#lib/http/openapi/openapi-document.ts";
import { httpRoutes, parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";
import { diskTree, type Tree } from "../tree/tree.ts";
import { collectErrorCodes, type ErrorCodes } from "./error-codes.ts";
import { openapiFile } from "./openapi-file.ts";
import { publishedSchemas } from "./published-schemas.ts";

let document: OpenApiDocument;
let operations: Operation[];
let codes: ErrorCodes;
beforeAll(async () => {
  const tree: Tree = diskTree(process.cwd());
  const [file] = await openapiFile(tree, await publishedSchemas(tree));
  document = JSON.parse(file?.text ?? "");
  operations = Object.values(document.paths).flatMap((path) => Object.values<Operation>(path));
  codes = collectErrorCodes(tree);
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

  it("names error codes that exist, and every one that the functions behind it give by themselves", () => {
    const described = new Set(describedCodes());
    const unwritten = ["INTERNAL", "UNAUTHENTICATED"]; // the errors page knows codes of two words and more
    expect([...described].filter((code) => !codes.has(code)).sort()).toEqual(unwritten);
    const edge = [...codes].filter(([, uses]) =>
      uses.some(({ file, disposition }) => /^functions\/(gateway|retrieval)\//.test(file) && !disposition),
    );
    expect(edge.length).toBeGreaterThan(20);
    expect(edge.map(([code]) => code).filter((code) => !described.has(code))).toEqual([]);
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
