import { describe, expect, it } from "vitest";
import { memoryTree } from "../tree/memory-tree.ts";
import { diskTree } from "../tree/tree.ts";
import { importsRunDown } from "./imports-run-down.ts";

/** What the rule says of a tree in which everything else is fine. */
function check(files: Record<string, string>, exceptions: string[] = []) {
  return importsRunDown(exceptions).check(memoryTree(files)) as string[];
}

/** Every way to write an import of `path`. */
const WAYS = (path: string) => [
  `import { x } from "${path}"; x();`,
  `import "${path}";`,
  `import type { X } from "${path}"; export type Y = X;`,
  `import { type X } from "${path}"; export type Y = X;`,
  `export { x } from "${path}";`,
  `export * from "${path}";`,
  `export type { X } from "${path}";`,
  `export const x = () => import("${path}");`,
  `export const x = () => import(\`${path}\`);`,
  `export type Y = import("${path}").X;`,
  `export let y: typeof import("${path}");`,
  `import x = require("${path}"); x();`,
  `const x = require("${path}"); x();`,
  `const x = require.resolve("${path}"); x();`,
  `export const x = import.meta.resolve("${path}");`,
  `export const x = new Worker(new URL("${path}", import.meta.url));`,
  `export const x = (y: boolean) => import(y ? "${path}" : "${path}");`,
];

describe("between rooms", () => {
  it.each([
    ["lib/platform/a/x.ts", "#schemas/primitives.ts"],
    ["lib/platform/a/x.ts", "#lib/platform/b/y.ts"],
    ["lib/work/a/x.ts", "#lib/code/b/y.ts"],
    ["lib/agents/a/x.ts", "#lib/platform/b/y.ts"],
    ["lib/http/a/x.ts", "./y.ts"],
    ["lib/http/a/x.ts", "zod"],
    ["lib/http/a/x.ts", "node:fs"],
    ["lib/http/a/x.ts", "@aws-sdk/client-s3"],
    ["lib/http/a/x.test.ts", "#test/fakes/y.ts"],
    ["functions/a/x.ts", "#lib/http/a/y.ts"],
    ["functions/a/sub/x.ts", "../y.ts"],
    ["schemas/http/x.ts", "../primitives.ts"],
  ])("%s may import %s", (from, specifier) => {
    for (const source of WAYS(specifier)) expect(check({ [from]: source })).toEqual([]);
  });

  it.each([
    ["lib/platform/a/x.ts", "#lib/resilience/b/y.ts", "lib/resilience is not below lib/platform"],
    ["lib/platform/a/x.ts", "../../http/route.ts", "lib/http is not below lib/platform"],
    ["lib/platform/a/x.ts", "#lib/platform/../agents/y.ts", "lib/agents is not below lib/platform"],
    ["lib/platform/a/x.ts", "#lib/%61gents/y.ts", "lib/agents is not below lib/platform"],
    ["lib/platform/a/x.ts", "#lib/agents/y.ts?worker", "lib/agents is not below lib/platform"],
    ["lib/platform/a/x.test.ts", "#lib/work/y.ts", "lib/work is not below lib/platform"],
    ["lib/resilience/a/x.ts", "#lib/code/b/y.ts", "lib/code is not below lib/resilience"],
    ["lib/sandbox/a/x.ts", "#lib/resilience/b/y.ts", "lib/resilience is not below lib/sandbox"],
    ["lib/work/a/x.ts", "#lib/agents/b/y.ts", "lib/agents is not below lib/work"],
    ["lib/agents/a/x.ts", "#lib/http/b/y.ts", "lib/http is not below lib/agents"],
    ["lib/http/a/x.ts", "#lib/agents/b/y.ts", "lib/agents is not below lib/http"],
    ["lib/http/a/x.ts", "#lib/helpers/y.ts", "lib/helpers is none of the seven rooms"],
    ["lib/helpers/x.ts", "#lib/platform/y.ts", "lib/helpers is none of the seven rooms"],
    ["lib/http/a/x.ts", "#test/fakes/y.ts", "lib imports lib and schemas only"],
    ["lib/http/a/x.ts", "../../../local/start.ts", "lib imports lib and schemas only"],
    ["lib/http/a/x.ts", "../../../../elsewhere/y.ts", "lib imports lib and schemas only"],
    ["lib/http/a/x.ts", "/opt/y.ts", "lib imports lib and schemas only"],
    ["lib/http/a/x.ts", "file:///opt/y.ts", "lib imports lib and schemas only"],
    ["lib/http/a/x.ts", "../../../functions/gateway/ports.ts", "lib imports lib and schemas only"],
    ["functions/a/x.ts", "../b/y.ts", "functions never import each other"],
    ["functions/a/x.test.ts", "../b/y.ts", "functions never import each other"],
    ["functions/a/x.ts", "../../scripts/build.ts", "functions imports lib and schemas only"],
    ["functions/a/x.ts", "../../cli/main.ts", "functions imports lib and schemas only"],
    ["functions/a/x.ts", "../../console/main.ts", "functions imports lib and schemas only"],
    ["functions/a/x.test.ts", "../../local/start.ts", "functions imports lib and schemas only"],
    ["schemas/http/x.ts", "#lib/platform/y.ts", "schemas import schemas only"],
    ["schemas/http/x.ts", "../../scripts/build.ts", "schemas import schemas only"],
  ])("%s may not import %s, however it is written", (from, specifier, why) => {
    for (const source of WAYS(specifier)) {
      expect([...new Set(check({ [from]: source }))], source).toEqual([
        expect.stringMatching(`^${from} imports .*: ${why}\\.$`),
      ]);
    }
  });

  it("takes no computed import, in which anything could hide", () => {
    expect(check({ "lib/code/a/x.ts": "export const x = (y: string) => import(y);" })).toEqual([
      "lib/code/a/x.ts imports a computed path: write it as a literal.",
    ]);
  });

  it("is not misled by comments, texts and types that only look like imports", () => {
    const source = `
      // import { x } from "#lib/http/route.ts";
      /* export * from "#lib/http/route.ts"; */
      export const text = 'import "#lib/http/route.ts"';
      export const url = new URL("#lib/http/route.ts", "https://example.org");
      export const found = object.require("#lib/http/route.ts");
    `;
    expect(check({ "lib/platform/a/x.ts": source })).toEqual([]);
  });

  it("says of a file it cannot parse that it cannot", async () => {
    expect(() => check({ "lib/code/a/x.ts": "import {" })).toThrow(/lib\/code\/a\/x\.ts does not parse/);
  });
});

describe("inside a room", () => {
  const imports = (...paths: string[]) => paths.map((path) => `import "${path}";`).join("\n");

  it("accepts folders that import one way, and files of one folder that import each other", () => {
    expect(
      check({
        "lib/http/route.ts": "",
        "lib/http/api/x.ts": imports("#lib/http/route.ts", "./y.ts", "#lib/http/auth/z.ts"),
        "lib/http/api/y.ts": imports("./x.ts"),
        "lib/http/auth/z.ts": imports("#lib/http/route.ts"),
      }),
    ).toEqual([]);
  });

  it("refuses two folders that import each other", () => {
    expect(
      check({
        "lib/http/auth/x.ts": imports("#lib/http/policy/y.ts"),
        "lib/http/policy/z.ts": imports("../auth/w.ts"),
      }),
    ).toEqual([
      "folders import each other in a circle: lib/http/auth/x.ts imports lib/http/policy/y.ts, lib/http/policy/z.ts imports lib/http/auth/w.ts.",
    ]);
  });

  it("refuses a folder and the one it stands in", () => {
    expect(
      check({
        "lib/http/route.ts": 'export type { X } from "./auth/x.ts";',
        "lib/http/auth/x.ts": imports("#lib/http/cors.ts"),
      }),
    ).toHaveLength(1);
  });

  it("refuses a circle of three, once, and a second circle beside it", () => {
    expect(
      check({
        "lib/code/a/x.ts": imports("#lib/code/b/x.ts"),
        "lib/code/b/x.ts": imports("#lib/code/c/x.ts"),
        "lib/code/c/x.ts": "export type X = import('#lib/code/a/x.ts').X;",
        "lib/code/d/x.ts": imports("#lib/code/a/x.ts", "#lib/code/e/x.ts"),
        "lib/code/e/x.ts": imports("#lib/code/d/y.ts"),
      }),
    ).toHaveLength(2);
  });

  it("lets a test import a folder that imports the test's", () => {
    expect(
      check({
        "lib/code/a/x.ts": imports("#lib/code/b/x.ts"),
        "lib/code/b/x.test.ts": imports("#lib/code/a/x.ts"),
      }),
    ).toEqual([]);
  });
});

describe("an exception", () => {
  const upward = { "lib/platform/a/x.ts": 'import "#lib/work/y.ts";' };
  const line = "lib/platform/a/x.ts → lib/work/y.ts";

  it("lets its one import pass", () => {
    expect(check(upward, [line])).toEqual([]);
    expect(check({ ...upward, "lib/platform/a/z.ts": 'import "#lib/work/y.ts";' }, [line])).toHaveLength(1);
  });

  it("is reported when nothing needs it any more", () => {
    expect(check({ "lib/platform/a/x.ts": "" }, [line])).toEqual([
      `${line} is no longer imported: take it out of the exceptions of imports-run-down.`,
    ]);
  });
});

it("holds in this repository", async () => {
  expect(await importsRunDown().check(diskTree("."))).toEqual([]);
});
