import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Template } from "./template.ts";

const RENDER_MS_MAX = 180_000;
const TEMPLATE_FILE = "cloudformation-template-update-stack.json";

/** The CloudFormation template that serverless.yml makes for a stage, before it has its code. */
export async function renderTemplate(stage: string): Promise<Template> {
  const directory = mkdtempSync(join(tmpdir(), "template-"));
  const serverless = createRequire(import.meta.url).resolve("serverless/bin/serverless.js");
  const given = [serverless, "package", "--stage", stage, "--package", directory];
  try {
    await promisify(execFile)(process.execPath, given, { timeout: RENDER_MS_MAX }).catch(
      (cause: { stderr?: string; message: string }) => {
        throw new Error(`serverless package failed:\n${cause.stderr || cause.message}`, { cause });
      },
    );
    return JSON.parse(readFileSync(join(directory, TEMPLATE_FILE), "utf8"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
