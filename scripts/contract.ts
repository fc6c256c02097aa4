import { TARGETS } from "../test/contract/difference.ts";
import { chosenTargets } from "./contract/chosen-targets.ts";
import { holdTarget } from "./contract/hold-target.ts";
import { readOptions } from "./read-options.ts";

const HELP = `npm run test:contract -- --target <names>

Holds the contract, what the code needs of AWS, against each of these targets: ${TARGETS.join(", ")}, or all.`;

const values = readOptions(HELP, { target: { type: "string" } });
let failed = false;
for (const target of chosenTargets(values.target)) {
  const { passed_tests, failed_tests, reason } = await holdTarget(target);
  if (reason) console.error(`${target}: ${reason}`);
  console.log(`${target}: ${passed_tests} passed, ${failed_tests} failed`);
  failed ||= failed_tests > 0;
}
process.exitCode = failed ? 1 : 0;
