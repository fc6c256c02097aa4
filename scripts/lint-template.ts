import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { pythonEnvironment } from "../local/host/python-environment.ts";
import { lintFile } from "./lint-template/lint-file.ts";
import { templateOf } from "./package/template-of.ts";
import { SERVERLESS_FILE } from "./tree/serverless.ts";

/**
 * `npm run lint:template`: cfn-lint, all of its rules, on the template of every stage in custom.stages of
 * serverless.yml; `default` stands for any other. Needs Python 3.11 or later with venv; what it installs
 * stays in the user's cache.
 */
const PYTHON = { name: "cfn-lint", requirements: "scripts/lint-template/requirements.txt", minor_min: 11 };
/** A linter that finds nothing wrong with this finds nothing. */
const WRONG = { Resources: { Queue: { Type: "AWS::SQS::Queue", Properties: { Visibility: "long" } } } };

async function main(): Promise<void> {
  const cfn_lint = join(await pythonEnvironment(PYTHON), "cfn-lint");
  const directory = mkdtempSync(join(tmpdir(), "lint-"));
  const said = async (name: string, template: unknown): Promise<string> => {
    const file = join(directory, `${name}.json`);
    writeFileSync(file, JSON.stringify(template, null, 2));
    return lintFile(cfn_lint, file);
  };
  try {
    if (!(await said("wrong", WRONG)).includes("E3002"))
      throw new Error("cfn-lint lets a wrong template pass");
    const { custom } = parse(readFileSync(SERVERLESS_FILE, "utf8")) as { custom: { stages: object } };
    for (const stage of Object.keys(custom.stages)) {
      const template = await templateOf(stage);
      const faults = await said(stage, template);
      console.log(
        faults || `${stage}: ${Object.keys(template.Resources).length} resources, nothing to complain about`,
      );
      if (faults) process.exitCode = 1;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
