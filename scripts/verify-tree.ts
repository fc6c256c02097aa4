import { diskTree } from "./tree/tree.ts";
import { findings } from "./verify/rule.ts";
import { RULES } from "./verify/rules.ts";

/** `npm run verify`: what no linter sees: functions, serverless.yml, schemas, configs and docs agree. */
const tree = diskTree(process.cwd());
let violations = 0;
for (const rule of RULES) {
  for (const message of await findings(rule, tree)) {
    console.error(`${rule.name}: ${message}`);
    violations += 1;
  }
}
if (violations > 0) process.exitCode = 1;
else console.log(`${RULES.length} rules hold.`);
