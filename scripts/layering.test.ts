import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";

/** Folder, source, and the one Biome rule that must refuse it; no rule when it must pass. */
type Case = [folder: string, source: string, rule?: string];

const IMPORTS = "noRestrictedImports";
const CASES: Case[] = [
  ["functions/a", 'import { x } from "#lib/resilience/retry/backoff.ts"; x();'],
  ["functions/a", 'import { x } from "./use-case.ts"; x();'],
  ["functions/a", 'import { x } from "../b/use-case.ts"; x();', IMPORTS],
  ["functions/a", 'export const x = () => import("../b/use-case.ts");', IMPORTS],
  ["functions/a", 'import type { X } from "../../functions/b/use-case.ts"; export type Y = X;', IMPORTS],
  ["functions/a", 'import { x } from "../../local/start.ts"; x();', IMPORTS],
  ["functions/a", 'import { x } from "../../cli/main.ts"; x();', IMPORTS],
  ["lib/a", 'import { x } from "#schemas/primitives.ts"; x();'],
  ["lib/a", 'import { x } from "#lib/b/x.ts"; x();'],
  ["lib/a", 'import { x } from "../b/x.ts"; x();', IMPORTS],
  ["lib/a", 'import { x } from "../../functions/b/x.ts"; x();', IMPORTS],
  ["lib/a", 'import { x } from "../../local/x.ts"; x();', IMPORTS],
  ["lib/a", 'import { x } from "../../cli/x.ts"; x();', IMPORTS],
  ["schemas/messages", 'import { z } from "zod"; export const X = z.string();'],
  ["schemas/messages", 'import { X } from "./source.ts"; export const Y = X;'],
  ["schemas/messages", 'import { X } from "#schemas/primitives.ts"; export const Y = X;'],
  ["schemas/messages", 'import { x } from "#lib/a/x.ts"; x();', IMPORTS],
  ["schemas/messages", 'import { X } from "../primitives.ts"; export const Y = X;', IMPORTS],
  ["schemas/messages", 'import { join } from "node:path"; join();', IMPORTS],
  ["schemas/messages", 'import { x } from "@aws-sdk/client-s3"; x();', IMPORTS],
  ["schemas/messages", 'import { x } from "yaml"; x();', IMPORTS],
  ["cli", 'import type { X } from "#schemas/http/task-view.ts"; export type Y = X;'],
  ["cli/commands", 'import { x } from "../api.ts"; x();'],
  ["cli", 'import { x } from "#lib/a/x.ts"; x();', IMPORTS],
  ["cli/patch", 'import { x } from "#lib/code/diff/x.ts"; x();'],
  ["cli/patch", 'import { x } from "#lib/code/tree/x.ts"; x();'],
  ["cli", 'import { x } from "#lib/platform/processes/spawn-program.ts"; x();'],
  ["cli", 'import { x } from "#lib/platform/processes/worker-mark.ts"; x();', IMPORTS],
  ["cli", 'import { x } from "#lib/platform/errors/codes.ts"; x();', IMPORTS],
  ["cli", 'import { x } from "#lib/code/source/x.ts"; x();', IMPORTS],
  ["cli", 'import { x } from "../lib/code/diff/x.ts"; x();', IMPORTS],
  ["cli", 'import { x } from "../lib/a/x.ts"; x();', IMPORTS],
  ["cli", 'import { x } from "../functions/a/x.ts"; x();', IMPORTS],
  ["cli", 'import { x } from "../local/x.ts"; x();', IMPORTS],
  ["lib/platform/settings", "export const x = process.env.X;"],
  ["local", "export const x = process.env.X;"],
  ["lib/a", "export const x = process.env.X;", "noProcessEnv"],
  ["functions/a", "export const x = process.env.X;", "noProcessEnv"],
  ["lib/a", "const work = async () => 1; export const x = async () => { await work(); };"],
  ["lib/a", "const work = async () => 1; export const x = () => { work(); };", "noFloatingPromises"],
  ["functions/a", longFunction(70)],
  ["functions/a", longFunction(71), "noExcessiveLinesPerFunction"],
  ["lib/a", 'export * from "./x.ts";', "noBarrelFile"],
  ["lib/a", "export const x = (y: string | null) => y!.length;", "noNonNullAssertion"],
  ["lib/a", 'import { join } from "path"; join();', "useNodejsImportProtocol"],
];

/** A function with `lines` lines in its body. */
function longFunction(lines: number): string {
  return `export function x(y: (n: number) => void) {\n${"  y(1);\n".repeat(lines)}}`;
}

const root = temporaryDirectory("layering");

/** Lints all cases at once with the project's own rules. Path → names of the rules that refused it. */
function lint(): Map<string, string[]> {
  const config = JSON.parse(readFileSync("biome.json", "utf8"));
  writeFileSync(join(root, "biome.json"), JSON.stringify({ ...config, vcs: { enabled: false } }));
  symlinkSync(join(process.cwd(), "node_modules"), join(root, "node_modules"));
  for (const [index, [folder, source]] of CASES.entries()) {
    const path = join(root, pathOf(folder, index));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${source}\n`);
  }
  const refused = new Map<string, string[]>();
  for (const { category, location } of diagnostics()) {
    const rule = category.split("/").at(-1) ?? "";
    refused.set(location.path, [...(refused.get(location.path) ?? []), rule]);
  }
  return refused;
}

function pathOf(folder: string, index: number): string {
  return `${folder}/case-${index}.ts`;
}

interface Diagnostic {
  category: string;
  location: { path: string };
}

function diagnostics(): Diagnostic[] {
  const report = join(root, "report.json");
  const given = ["lint", "--reporter=json", `--reporter-file=${report}`, "--max-diagnostics=none", "."];
  try {
    execFileSync(join(process.cwd(), "node_modules/.bin/biome"), given, { cwd: root, stdio: "ignore" });
  } catch {
    // It ends with 1 when it refuses something; the report says what.
  }
  return JSON.parse(readFileSync(report, "utf8")).diagnostics;
}

describe("the linter's layering and safety rules", () => {
  const refused = lint();
  for (const [index, [folder, source, rule]] of CASES.entries()) {
    const [line = ""] = source.split("\n");
    it(`${rule ? `refuses by ${rule}` : "accepts"} in ${folder}: ${line}`, () => {
      expect(refused.get(pathOf(folder, index)) ?? []).toEqual(rule ? [rule] : []);
    });
  }
});
