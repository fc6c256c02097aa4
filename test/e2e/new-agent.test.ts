import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient } from "./client.ts";
import { tinySource } from "./example.ts";

const service_dir = temporaryDirectory("recipe");
let stack: Stack;
let api: ApiClient;

/** The code blocks of the recipe, each under the last file name in backquotes before it. */
function recipe(): Map<string, string> {
  const text = readFileSync("CONTRIBUTING.md", "utf8");
  const [section = ""] = text.slice(text.indexOf("## Add an agent")).split("\n## ", 1);
  const blocks = new Map<string, string>();
  let file = "";
  for (const [, name, code] of section.matchAll(/`([\w./-]+\.(?:ts|yml|json))`|```\w+\n([\s\S]*?)```/g)) {
    if (name) file = name;
    else blocks.set(file, code ?? "");
  }
  return blocks;
}

function follow(blocks: Map<string, string>): void {
  const parts = [
    "functions",
    "lib",
    "schemas",
    "local",
    "scripts",
    "configs",
    "package.json",
    "serverless.yml",
  ];
  for (const part of parts) cpSync(part, join(service_dir, part), { recursive: true });
  symlinkSync(resolve("node_modules"), join(service_dir, "node_modules"));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(service_dir, path)), { recursive: true });
    writeFileSync(join(service_dir, path), text);
  };
  for (const [path, code] of blocks) if (path.endsWith(".ts")) write(path, code);
  const serverless = readFileSync("serverless.yml", "utf8");
  write(
    "serverless.yml",
    serverless.replace("\nfunctions:\n", `\nfunctions:\n${blocks.get("serverless.yml")}`),
  );
  const workflows = JSON.parse(readFileSync("configs/workflows.json", "utf8"));
  const step = JSON.parse(blocks.get("configs/workflows.json") ?? "");
  const { steps } = workflows.workflows.change;
  steps.splice(steps.findIndex((one: { step: string }) => one.step === "codegen") + 1, 0, step);
  write("configs/workflows.json", JSON.stringify(workflows));
}

beforeAll(async () => {
  const blocks = recipe();
  expect([...blocks.keys()]).toEqual([
    "schemas/messages/review.ts",
    "functions/review/agent.ts",
    "functions/review/handler.ts",
    "serverless.yml",
    "configs/workflows.json",
  ]);
  follow(blocks);
  stack = await startStack({ service_dir, data_dir: temporaryDirectory("data") });
  api = developmentClient(stack.url, stack.data_dir);
});
afterAll(async () => {
  await stack?.stop();
});

const diff = (line: string) =>
  `--- a/add.js\n+++ b/add.js\n@@ -1 +1,2 @@\n export const add = (a, b) => a + b;\n+${line}\n`;

describe("an agent added by the recipe in CONTRIBUTING.md", () => {
  it.each([
    ["export const one = 1;", "succeeded", undefined],
    ["console.log(1);", "failed", "CONSOLE_LOG_LEFT"],
  ])("judges a change that adds %s", async (line, status, code) => {
    const { task_id } = await api.submit({
      workflow: "change",
      source: tinySource(true),
      change: { kind: "patch", diff: diff(line) },
      test: "node --test",
    });
    const view = await api.ended(task_id);
    expect([view.status, view.error?.code]).toEqual([status, code]);
    expect(view.artifacts.map(({ path }) => path)).toContain("review/findings.txt.meta.json");
  });
});
