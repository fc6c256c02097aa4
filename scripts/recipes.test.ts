import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { createProgram } from "../cli/program.ts";

/** The YAML of a guide. */
function recipeOf(guide: string): Record<string, Record<string, unknown>> {
  const text = readFileSync(`docs/guides/${guide}.md`, "utf8");
  const yaml = /```yaml\n([\s\S]*?)```/.exec(text)?.[1];
  if (yaml === undefined) throw new Error(`${guide} has no YAML`);
  return parse(yaml, { strict: true });
}

/** Each call of the command line in a script: its command and its options. */
function calls(script: string): { command: string; options: string[] }[] {
  const lines = script.replaceAll("\\\n", " ").split("\n");
  return lines.flatMap((line) => {
    const words = /agents\.mjs (\w+)(.*)$/.exec(line);
    if (!words) return [];
    return [{ command: words[1] ?? "", options: (words[2] ?? "").match(/(?<= )--[a-z-]+/g) ?? [] }];
  });
}

function expectKnown(script: string, commands: string[]): void {
  const program = createProgram();
  const found = calls(script);
  expect(found.map(({ command }) => command)).toEqual(commands);
  for (const { command, options } of found) {
    const known = program.commands.find((one) => one.name() === command);
    const names = [...(known?.options ?? []), ...program.options].map(({ long }) => long);
    for (const option of options) expect(names, `${command} ${option}`).toContain(option);
  }
}

it("the recipe for GitHub Actions is a workflow whose commands there are", () => {
  const { on, jobs } = recipeOf("github-actions");
  expect(on).toHaveProperty("workflow_dispatch.inputs.words");
  const job = jobs?.change as { steps: { run?: string; uses?: string }[] };
  const { steps } = job;
  for (const { run, uses } of steps) expect(typeof run === "string").toBe(uses === undefined);
  const script = steps.map(({ run = "" }) => run).join("\n");
  expectKnown(script, ["submit", "pr", "pr"]);
  // Words of others in a script would be run by the shell.
  expect(script).not.toContain("${{");
});

it("the recipe for GitLab CI is a job whose commands there are", () => {
  const { change } = recipeOf("gitlab-ci");
  const script = change?.script as string[];
  expect(script.every((line) => typeof line === "string")).toBe(true);
  expectKnown(script.join("\n"), ["submit", "pr", "pr"]);
});
