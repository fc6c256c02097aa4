import { closingLine, type Gate, gateLine, runGates } from "./gates/gates.ts";

/** `npm run check [-- --fix]`: everything that is known without running the tests. */
const GATES: Gate[] = [
  {
    name: "lint",
    command: "biome check --error-on-warnings --max-diagnostics=50 .",
    repair: "npm run check -- --fix formats, and mends what can be mended safely",
  },
  { name: "types", command: "tsc --noEmit && tsc --noEmit -p console" },
  { name: "dead code", command: "knip" },
  { name: "generated", command: "node scripts/generate-schemas.ts --check" },
  { name: "tree", command: "node scripts/verify-tree.ts" },
];
const REPAIRS: Gate[] = [
  { name: "format", command: "biome check --write ." },
  { name: "generate", command: "node scripts/generate-schemas.ts" },
];
const CORES = 2;

const show = (result: Parameters<typeof gateLine>[0]) => console.log(gateLine(result));
if (process.argv.includes("--fix")) await runGates(REPAIRS, process.cwd(), 1, show);
const results = await runGates(GATES, process.cwd(), CORES, show);
console.log(closingLine(results));
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
