import type { ManifestEntry, StepRecord } from "#schemas/records/step.ts";

/**
 * The files of a task in the standard layout, from the manifests of its completed steps. When two
 * rounds wrote the same path the later one has it; the earlier one's stands beside it, as
 * `codegen/earlier/codegen-0/diff.patch`. `steps` in the order they ran.
 */
export function layoutArtifacts(steps: StepRecord[]): ManifestEntry[] {
  const placed = new Map<string, { entry: ManifestEntry; step: StepRecord }>();
  for (const step of steps) {
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

function earlierPath(path: string, { step, round }: StepRecord): string {
  const [folder = "", ...rest] = path.split("/");
  return [folder, "earlier", `${step}-${round}`, ...rest].join("/");
}
