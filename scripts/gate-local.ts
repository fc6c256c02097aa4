import { closingLine, type Gate, gateLine, runGates } from "./gates/gates.ts";

/**
 * `npm run -s gate:local [-- --json]`: build, checks and unit tests, one after the other, as they
 * have to pass before work is handed on. CODE_BUILD_CMD replaces the build command.
 */
const gates: Gate[] = [
  { name: "build", command: process.env.CODE_BUILD_CMD ?? "npm run -s build" },
  { name: "check", command: "npm run -s check" },
  { name: "unit tests", command: "npm run -s test:unit" },
];

const json = process.argv.includes("--json");
const results = await runGates(gates, process.cwd(), 1, (result) => {
  if (!json) console.log(gateLine(result));
});
const passed = results.every((result) => result.passed);
if (json) {
  const report = results.map(({ gate, ...result }) => ({
    gate: gate.name,
    command: gate.command,
    passed: result.passed,
    duration_ms: Math.round(result.duration_ms),
    ...(result.passed ? {} : { output: result.output }),
  }));
  console.log(JSON.stringify({ passed, gates: report }, undefined, 2));
} else {
  console.log(closingLine(results));
}
process.exitCode = passed ? 0 : 1;
