import { z } from "zod";

/** Fewer cases than this: something kept it from asking. */
const CASES_MIN = 1000;

/** The parts of schemathesis' JSON report that are looked at. */
const Report = z.looseObject({
  complete: z.boolean(),
  operations: z.looseObject({ total: z.int(), tested: z.int(), errored: z.int() }),
  phases: z.record(z.string(), z.looseObject({ status: z.string() })),
  test_cases: z.looseObject({
    generated: z.int(),
    with_failures: z.int(),
    without_checks: z.int(),
    errored: z.int(),
  }),
});

/** Prints the counts, and says in sentences why a run is no good; nothing when it is. */
export function judgeReport(code: number | null, value: unknown, print = console.log): string[] {
  const { complete, operations, phases, test_cases } = Report.parse(value);
  const { generated, with_failures, without_checks, errored } = test_cases;
  const failed = with_failures + errored;
  print(`openapi: ${operations.tested} of ${operations.total} operations, ${generated} requests`);
  print(
    `openapi: ${generated - without_checks - failed} passed, ${failed} failed, ${without_checks} skipped`,
  );
  const faults: string[] = [];
  if (failed > 0) faults.push(`${failed} requests had an answer that the description does not promise`);
  if (code !== 0) faults.push(`schemathesis ended with ${code}`);
  if (!complete || operations.errored > 0) faults.push("schemathesis did not get to the end");
  if (operations.tested < operations.total) faults.push("some operations were not tried");
  if (generated < CASES_MIN) faults.push(`only ${generated} requests were made`);
  for (const [phase, { status }] of Object.entries(phases)) {
    if (status !== "success") faults.push(`phase ${phase}: ${status}`);
  }
  return faults;
}
