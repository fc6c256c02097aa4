import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageService } from "./package/package-service.ts";
import { overBudget, sizeTable } from "./package/size-budgets.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run -s package -- [--stage <stage>]

Makes what is deployed, in .package/<stage>/: template.json, code/ (a zip per function), worker/ (what the
container image is built from) and source-maps/. How to deploy it: docs/guides/deploy.md.

  --stage <stage>   which of custom.stages in serverless.yml (default: prod)
  --help            this text`;

async function main(): Promise<void> {
  const values = readOptions(HELP, {
    stage: { type: "string", default: "prod" },
  });
  const { stage } = values;
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(stage))
    throw new Error("A stage is 1 to 20 of a-z 0-9 -, a letter first.");
  if (stage === "local") throw new Error("The stage local is not deployed: npm start runs it.");
  const directory = join(".package", stage);
  const { files, template, sizes } = await packageService(stage);
  rmSync(directory, { recursive: true, force: true });
  for (const [path, bytes] of files) {
    mkdirSync(join(directory, path, ".."), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
  writeFileSync(join(directory, "template.json"), `${JSON.stringify(template, null, 2)}\n`);
  console.log(sizeTable(sizes));
  const faults = overBudget(sizes);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  console.log(`\n${directory}/template.json and its code are ready: docs/guides/deploy.md`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
