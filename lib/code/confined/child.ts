import { codeWork } from "#lib/code/confined/code-work.ts";
import { computations } from "#lib/code/confined/computations.ts";
import type { ComputationTable } from "#lib/platform/confined/computation.ts";
import { serveComputations } from "#lib/platform/confined/serve-computations.ts";

/** The program of the child process: `node child.ts <bytes of memory>`. */
const table: ComputationTable = Object.fromEntries(
  Object.entries(codeWork).map(([name, work]) => [
    computations[name as keyof typeof computations].name,
    (input: []) => (work as (...input: unknown[]) => unknown)(...input),
  ]),
);
await serveComputations(table, Number(process.argv[2]));
