import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pythonEnvironment } from "../local/host/python-environment.ts";
import { judgeReport } from "./openapi/judge-report.ts";
import { runSchemathesis } from "./openapi/run-schemathesis.ts";
import { startTestStage } from "./openapi/test-stage.ts";

/**
 * `npm run test:openapi`: schemathesis with all its checks against a stack of its own, as the served
 * description says. Needs Python 3.11 or later with venv; what it installs stays in the user's cache.
 */
const began = performance.now();
const python = await pythonEnvironment({
  name: "schemathesis",
  requirements: "test/openapi/requirements.txt",
  minor_min: 11,
});
const stage = await startTestStage();
try {
  const report_file = join(stage.directory, "report.json");
  const { code, output } = await runSchemathesis(python, stage, report_file);
  const faults = judgeReport(code, JSON.parse(readFileSync(report_file, "utf8")));
  if (!(await stage.isOwnerLetIn()))
    faults.push("the owner's token no longer works: what came after says little");
  if (faults.length > 0) console.error(output);
  for (const fault of faults) console.error(`openapi: ${fault}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
} finally {
  await stage.stop();
}
console.log(`openapi: ${((performance.now() - began) / 1000).toFixed(0)} s`);
