import { describe, expect, it } from "vitest";
import { isHere, nameNeeding } from "#test/tools.ts";
import { runComparison } from "./run-comparison.ts";

const has_git = await isHere("git");

describe("patches, compared with `git apply`", () => {
  it.skipIf(!has_git)(
    nameNeeding("git", "come out as the same tree or are clearly refused, in all forms and bent"),
    async () => {
      const { forms, bent, faults } = await runComparison({ seed: 7, forms_max: 60, bends: 1 });
      expect(faults.map(({ name, detail }) => `${name}: ${detail}`)).toEqual([]);
      const tallies = [...forms.values()];
      const sum = (outcome: "same" | "refused_here") =>
        tallies.reduce((total, { counts }) => total + counts[outcome], 0);
      // A comparison in which both sides refuse everything would show nothing.
      expect(tallies.reduce((total, tally) => total + tally.forms, 0)).toBeGreaterThan(40);
      expect(sum("same")).toBeGreaterThan(25);
      expect(sum("refused_here")).toBeLessThan(10);
      expect(bent.counts.same + bent.counts.refused).toBeGreaterThan(25);
    },
    600_000,
  );
});
