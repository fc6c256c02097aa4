import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Template } from "./template.ts";

const RENDER_MS_MAX = 180_000;
const TEMPLATE_FILE = ".serverless/cloudformation-template-update-stack.json";
/** What serverless.yml and its plugins read: the framework takes no links to files, and plugins are too many to copy. */
const COPIED = ["serverless.yml", "package.json", "configs"];
const LINKED = ["node_modules", "lib", "local", "schemas", "scripts"];

/**
 * The CloudFormation template that serverless.yml makes for a stage, before it has its code. In a folder
 * of its own: the framework writes into the service's, where another one may be doing the same.
 */
export async function renderTemplate(stage: string): Promise<Template> {
  const directory = mkdtempSync(join(tmpdir(), "template-"));
  const serverless = createRequire(import.meta.url).resolve("serverless/bin/serverless.js");
  try {
    for (const part of COPIED) cpSync(part, join(directory, part), { recursive: true });
    for (const part of LINKED) symlinkSync(resolve(part), join(directory, part));
    const options = { cwd: directory, timeout: RENDER_MS_MAX };
    await promisify(execFile)(process.execPath, [serverless, "package", "--stage", stage], options).catch(
      (cause: { stdout?: string; stderr?: string; message: string }) => {
        throw new Error(`serverless package failed:\n${cause.stdout || cause.stderr || cause.message}`, {
          cause,
        });
      },
    );
    return JSON.parse(readFileSync(join(directory, TEMPLATE_FILE), "utf8"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
