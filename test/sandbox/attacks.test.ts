import { afterAll, beforeAll, expect, it } from "vitest";
import { underEachBackend } from "#test/needing.ts";
import { isHere, nameNeeding, type Tool } from "#test/tools.ts";
import { ALL_CASES } from "./cases/all-cases.ts";
import { type OutsideWorld, openOutside } from "./outside.ts";
import { isFor, leftovers, mounts, runCase } from "./run-case.ts";

const tools = new Set(Object.values(ALL_CASES).flatMap((cases) => cases.flatMap(({ needs }) => needs ?? [])));
const missing = new Set<Tool>();
for (const tool of tools) if (!(await isHere(tool))) missing.add(tool);

let outside: OutsideWorld;
let mounts_before: string;
beforeAll(async () => {
  outside = await openOutside();
  mounts_before = mounts();
});
afterAll(() => outside.close());

await underEachBackend(
  (name) => `under the ${name} backend a command`,
  (backend) => {
    for (const [attempt, attempts] of Object.entries(ALL_CASES)) {
      for (const each of attempts.filter((one) => isFor(one, backend))) {
        const { needs } = each;
        const name = `${attempt} ${each.name}: ${each.code}`;
        it.skipIf(needs && missing.has(needs))(needs ? nameNeeding(needs, name) : name, async () => {
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
  },
);
