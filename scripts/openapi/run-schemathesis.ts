import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import type { TestStage } from "./test-stage.ts";

const RUN_MS_MAX = 600_000;
const OUTPUT_CHARACTERS_MAX = 200_000;

/** Runs schemathesis as test/openapi/schemathesis.toml says, and waits for its end. */
export function runSchemathesis(
  python: string,
  { url, directory, auth_file }: TestStage,
  report_file: string,
): Promise<{ code: number | null; output: string }> {
  const config = resolve("test/openapi/schemathesis.toml");
  const given = ["--no-color", "--config-file", config, "run", `${url}/api/openapi.json`];
  const report = ["--report", "json", "--report-json-path", report_file];
  const child = spawn(join(python, "st"), [...given, ...report], {
    cwd: directory,
    env: { ...process.env, AUTH_FILE: auth_file, SCHEMATHESIS_HOOKS: resolve("test/openapi/hooks.py") },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: RUN_MS_MAX,
  });
  let output = "";
  const collect = (chunk: Buffer) => {
    output = (output + chunk).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code) => done({ code, output }));
  });
}
