import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { processBackend } from "#lib/sandbox/process-backend.ts";
import { ALL_CASES } from "./cases/all-cases.ts";
import { type OutsideWorld, openOutside } from "./outside.ts";
import { canRun, leftovers, mounts, runCase } from "./run-case.ts";

const strongest = await strongestBackend();
const backends = strongest === processBackend ? [processBackend] : [strongest, processBackend];
const cases = Object.values(ALL_CASES).flat();

let outside: OutsideWorld;
let mounts_before: string;
beforeAll(async () => {
  outside = await openOutside();
  mounts_before = mounts();
  const full = cases.filter((each) => each.isolation === "full").length;
  if (strongest === processBackend) console.warn(`not run, bubblewrap is not usable here: ${full} cases`);
});
afterAll(() => outside.close());

describe.each(backends)("under the $name backend a command", (backend) => {
  for (const [attempt, attempts] of Object.entries(ALL_CASES)) {
    for (const each of attempts.filter(
      ({ isolation }) => isolation === "any" || backend.isolation === "full",
    )) {
      it.skipIf(!canRun(each, backend))(`${attempt} ${each.name}: ${each.code}`, async () => {
        const { result, code, faults } = await runCase(each, backend, outside);
        const seen = `${result.limit?.evidence ?? ""}\n${result.log.subarray(0, 2000)}`;
        expect({ code, faults }, seen).toEqual({ code: each.code, faults: [] });
        expect(outside.breaches()).toEqual([]);
      });
    }
  }

  it("leaves no process, mount or directory behind", async () => {
    expect(await leftovers(mounts_before)).toEqual([]);
  });
});
