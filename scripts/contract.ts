import { parseArgs } from "node:util";
import { chosenTargets } from "./contract/chosen-targets.ts";
import { holdTarget } from "./contract/hold-target.ts";

/** `npm run test:contract [-- --target localstack,dynamodb-local]`: what the code needs of AWS, held against each. */
const { values } = parseArgs({ options: { target: { type: "string" } } });
let failed = false;
for (const target of chosenTargets(values.target)) {
  const { passed_tests, failed_tests, reason } = await holdTarget(target);
  if (reason) console.error(`${target}: ${reason}`);
  console.log(`${target}: ${passed_tests} passed, ${failed_tests} failed`);
  failed ||= failed_tests > 0;
}
process.exitCode = failed ? 1 : 0;
