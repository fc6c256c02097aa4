import type { Ledger } from "#lib/work/tasks/task-store.ts";
import type { ManifestEntry, StepRecord } from "#schemas/records/step.ts";

/**
 * The files of a task in the standard layout, from the manifests of its completed steps. When two
 * wrote the same path the later one has it: the later step of the workflow, or the later round of
 * one step (their times do not count, for they are of different workers' clocks); of the rounds of a
 * repair that all failed, the best one. The other one's
 * stands beside it, as `codegen/earlier/codegen-0/diff.patch`.
 */
export function layoutArtifacts(ledger: Ledger): ManifestEntry[] {
  const placed = new Map<string, { entry: ManifestEntry; step: StepRecord }>();
  for (const step of inOrder(ledger)) {
    for (const entry of step.outcome?.artifacts ?? []) {
      const before = placed.get(entry.path);
      if (before) {
        const path = pathOfRound(entry.path, before.step);
        placed.set(path, { entry: { ...before.entry, path }, step: before.step });
      }
      placed.set(entry.path, { entry, step });
    }
  }
  return [...placed.values()].map(({ entry }) => entry).sort((a, b) => a.path.localeCompare(b.path, "en"));
}

function inOrder({ task, steps }: Ledger): StepRecord[] {
  const position = ({ step }: StepRecord) => task.definition.steps.findIndex((one) => one.step === step);
  const best = bestFailedRound({ task, steps });
  const rank = ({ round }: StepRecord) => (round === best ? Number.POSITIVE_INFINITY : round);
  return steps.toSorted((a, b) => position(a) - position(b) || compare(rank(a), rank(b)));
}

const compare = (a: number, b: number) => (a === b ? 0 : a - b);

/**
 * The best of the rounds that ended with a failed test run: fewest failed tests, then most passed ones, then the
 * earlier. Undefined when a round passed, or none was tested.
 */
export function bestFailedRound({ task, steps }: Ledger): number | undefined {
  const tested = task.definition.steps.find(({ repair }) => repair)?.step;
  const rounds = steps.flatMap(({ step, round, outcome }) =>
    step === tested && outcome ? [{ round, outcome }] : [],
  );
  if (rounds.some(({ outcome }) => outcome.verdict === "passed")) return undefined;
  const count = (value: unknown, otherwise: number) =>
    typeof value === "number" && value >= 0 ? value : otherwise;
  const [best] = rounds
    .map(({ round, outcome: { output = {} } }) => {
      const passed = count(output.tests_passed, 0);
      const failed = count(output.tests_failed, 0);
      // Nothing counted: the build failed, or the tests did not start.
      return { round, passed, failed: passed + failed === 0 ? Number.MAX_SAFE_INTEGER : failed };
    })
    .sort((a, b) => a.failed - b.failed || b.passed - a.passed || a.round - b.round);
  return best?.round;
}

/**
 * The file at a path of the layout, or at the path of its round (`codegen/earlier/codegen-0/diff.patch`),
 * which leads to that round's file for good, whether a later one has its place already or not.
 */
export function findArtifact(ledger: Ledger, path: string): ManifestEntry | undefined {
  const placed = layoutArtifacts(ledger).find((entry) => entry.path === path);
  if (placed) return placed;
  for (const step of ledger.steps) {
    const found = step.outcome?.artifacts.find((entry) => pathOfRound(entry.path, step) === path);
    if (found) return { ...found, path };
  }
  return undefined;
}

/** Where a file stands when a later round took its place. */
export function pathOfRound(path: string, { step, round }: Pick<StepRecord, "step" | "round">): string {
  const [folder = "", ...rest] = path.split("/");
  return [folder, "earlier", `${step}-${round}`, ...rest].join("/");
}
