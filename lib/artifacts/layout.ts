import type { Ledger } from "#lib/tasks/task-store.ts";
import type { ManifestEntry, StepRecord } from "#schemas/records/step.ts";

/** Where a task's artifacts stand in the bucket. */
export function artifactKey(tenant: string, task_id: string, path: string): string {
  return `tenants/${tenant}/tasks/${task_id}/${path}`;
}

/**
 * The files of a task in the standard layout, from the manifests of its completed steps. When two
 * wrote the same path the later one has it: the later step of the workflow, or the later round of
 * one step (their times do not count, for they are of different workers' clocks). The earlier one's
 * stands beside it, as `codegen/earlier/codegen-0/diff.patch`.
 */
export function layoutArtifacts(ledger: Ledger): ManifestEntry[] {
  const placed = new Map<string, { entry: ManifestEntry; step: StepRecord }>();
  for (const step of inOrder(ledger)) {
    for (const entry of step.outcome?.artifacts ?? []) {
      const before = placed.get(entry.path);
      if (before) {
        const path = earlierPath(entry.path, before.step);
        placed.set(path, { entry: { ...before.entry, path }, step: before.step });
      }
      placed.set(entry.path, { entry, step });
    }
  }
  return [...placed.values()].map(({ entry }) => entry).sort((a, b) => a.path.localeCompare(b.path, "en"));
}

function inOrder({ task, steps }: Ledger): StepRecord[] {
  const position = ({ step }: StepRecord) => task.definition.steps.findIndex((one) => one.step === step);
  return steps.toSorted((a, b) => position(a) - position(b) || a.round - b.round);
}

function earlierPath(path: string, { step, round }: StepRecord): string {
  const [folder = "", ...rest] = path.split("/");
  return [folder, "earlier", `${step}-${round}`, ...rest].join("/");
}
