import { filesOf, type LayoutFile } from "#lib/work/artifacts/artifact-meta.ts";
import { fullSummary, SUMMARY_PATH } from "#lib/work/artifacts/task-summary.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import type { ManifestEntry, StepRecord } from "#schemas/records/step.ts";

/** The files of a task's completed steps in the standard layout, each under the path it has there. */
export function layoutArtifacts(ledger: Ledger): LayoutFile[] {
  const placed = [...placeFiles(withTaskSummary(ledger), filesOf)].map(([path, { file }]) => ({
    ...file,
    path,
  }));
  return placed.sort((a, b) => a.path.localeCompare(b.path, "en"));
}

/** Where each file of the steps' manifests stands in the layout, by its entry. */
export function placesOf(ledger: Ledger): Map<ManifestEntry, string> {
  const placed = placeFiles(ledger, ({ outcome }) => outcome?.artifacts ?? []);
  return new Map([...placed].map(([path, { file }]) => [file, path]));
}

/** The same ledger, once its task has ended, with the summary of the kept round told to the end. */
export function withTaskSummary(ledger: Ledger): Ledger {
  const { task, steps } = ledger;
  if (!task.ended_at) return ledger;
  const kept = placeFiles(ledger, ({ outcome }) => outcome?.artifacts ?? []).get(SUMMARY_PATH);
  const blob = kept && fullSummary(ledger, kept.step, kept.file.blob);
  if (!kept || !blob) return ledger;
  const told = (step: StepRecord): StepRecord => {
    if (step !== kept.step || !step.outcome) return step;
    const artifacts = step.outcome.artifacts.map((entry) =>
      entry === kept.file ? { ...entry, blob } : entry,
    );
    return { ...step, outcome: { ...step.outcome, artifacts } };
  };
  return { task, steps: steps.map(told) };
}

/**
 * Files by their path in the layout. When two steps wrote the same path the later one has it: the later step of the
 * workflow, or the later round of one step (their times do not count, for they are of different workers' clocks). Of
 * the rounds of a repair that all failed the best one has it. The other one's stands beside it, as `codegen/earlier/codegen-0/diff.patch`.
 */
function placeFiles<File extends ManifestEntry>(
  ledger: Ledger,
  filesOfStep: (step: StepRecord) => readonly File[],
): Map<string, { file: File; step: StepRecord }> {
  const placed = new Map<string, { file: File; step: StepRecord }>();
  for (const step of inOrder(ledger)) {
    for (const file of filesOfStep(step)) {
      const before = placed.get(file.path);
      if (before) placed.set(pathOfRound(file.path, before.step), before);
      placed.set(file.path, { file, step });
    }
  }
  return placed;
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
function bestFailedRound({ task, steps }: Ledger): number | undefined {
  const tested = task.definition.steps.find(({ repair }) => repair && !repair.codes)?.step;
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
export function findArtifact(ledger: Ledger, path: string): LayoutFile | undefined {
  const placed = layoutArtifacts(ledger).find((file) => file.path === path);
  if (placed) return placed;
  for (const step of ledger.steps) {
    const found = filesOf(step).find((file) => pathOfRound(file.path, step) === path);
    if (found) return { ...found, path };
  }
  return undefined;
}

/** Where a file stands when a later round took its place. */
export function pathOfRound(path: string, { step, round }: Pick<StepRecord, "step" | "round">): string {
  const [folder = "", ...rest] = path.split("/");
  return [folder, "earlier", `${step}-${round}`, ...rest].join("/");
}
