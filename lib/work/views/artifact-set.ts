import { filesOf } from "#lib/work/artifacts/artifact-meta.ts";
import { pathOfRound } from "#lib/work/artifacts/layout.ts";
import { artifactView } from "#lib/work/views/task-view.ts";
import type { ArtifactSet } from "#schemas/http/task-view.ts";
import type { StepRecord } from "#schemas/records/step.ts";

/**
 * What a completed step left, as the artifact index lists it, with links that a later round does not take over.
 * Undefined before its outcome.
 */
export function artifactSet(step: StepRecord): ArtifactSet | undefined {
  if (!step.outcome) return undefined;
  const { verdict } = step.outcome;
  const artifacts = filesOf(step);
  return {
    tenant: step.tenant,
    task_id: step.task_id,
    step: step.step,
    round: step.round,
    kind: artifacts[0]?.path.split("/")[0] ?? null,
    producer: step.service,
    verdict,
    completed_at: step.ended_at ?? step.started_at,
    artifacts: artifacts.map((entry) => ({
      ...artifactView(step.task_id, { ...entry, path: pathOfRound(entry.path, step) }),
      path: entry.path,
    })),
  };
}

/** The first of each kind, in the order given. A step that left no file has no kind and is no latest of any. */
export function firstOfEachKind(sets: ArtifactSet[]): ArtifactSet[] {
  const kinds = new Set<string | null>([null]);
  return sets.filter(({ kind }) => {
    const first = !kinds.has(kind);
    kinds.add(kind);
    return first;
  });
}
