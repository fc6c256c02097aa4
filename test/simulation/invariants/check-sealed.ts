import { artifactKey } from "#lib/platform/blobs/object-keys.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import { parseStepItem } from "#lib/resilience/idempotency/step-item.ts";
import { findArtifact } from "#lib/work/artifacts/layout.ts";
import { storedFiles } from "#lib/work/artifacts/standard-layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import { SUMMARY_PATH } from "#lib/work/artifacts/task-summary.ts";
import { type Ledger, parseTaskItem } from "#lib/work/tasks/task-store.ts";
import { taskView } from "#lib/work/views/task-view.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import type { Key } from "../dynamodb/table.ts";
import type { World } from "../engine/world.ts";

/** An ended task shows exactly the artifacts its ledger lists, each in its place with the bytes it should have. */
export function checkSealed(world: World, { pk }: Pick<Key, "pk">): void {
  const { Items } = world.table.query({
    KeyConditionExpression: "pk = :pk",
    ExpressionAttributeValues: { ":pk": pk },
  });
  const tasks = Items.filter(({ sk }) => sk === "TASK").map(parseTaskItem);
  const steps = Items.filter(({ sk }) => String(sk).startsWith("STEP#")).map(parseStepItem);
  steps.sort(
    (a, b) => a.started_at.localeCompare(b.started_at) || a.round - b.round || a.step.localeCompare(b.step),
  );
  for (const { step, round, status } of steps) {
    if (status === "running" || status === "waiting") {
      world.violate("an ended task has no open step", `${pk} ${step} ${round} is ${status}`);
    }
  }
  for (const task of tasks) {
    checkLatest(world, task, steps);
    const service_version = world.deployment.settings.service_version;
    const stored = new Set(storedFiles({ task, steps }, service_version).map(({ path }) => path));
    for (const { path, bytes, sha256: digest } of taskView({ task, steps }, service_version).artifacts) {
      const in_bucket = stored.has(path);
      const found = in_bucket
        ? world.bucket.find(artifactKey(task.tenant, task.task_id, path))?.bytes
        : Buffer.from(findArtifact({ task, steps }, path)?.content ?? ownText({ task, steps }, path, world));
      world.count(in_bucket ? "artifacts compared" : "meta files compared");
      if (!found) world.violate("ended implies artifacts readable", `${pk} ${path} is not there`);
      else if (found.byteLength !== bytes || sha256(found) !== digest) {
        world.violate("artifacts equal the manifest", `${pk} ${path}`);
      }
    }
  }
}

/** The text of a meta file of `task.json` or `events.jsonl`. */
function ownText(ledger: Ledger, path: string, { deployment }: World): string {
  const { service_version } = deployment.settings;
  return taskFiles(ledger, service_version).find((file) => file.path === path)?.content ?? "";
}

/**
 * Of two rounds of a step the later one's file stands in the place, whatever the workers' clocks said; of rounds that all
 * failed their tests, the best one's.
 */
function checkLatest(world: World, { tenant, task_id, definition }: TaskRecord, steps: StepRecord[]): void {
  const best = bestOfFailed(steps, definition.steps.find(({ repair }) => repair)?.step);
  for (const { step, round, outcome } of steps) {
    const others = steps.filter(
      (other) => other.step === step && other.round !== round && other.outcome?.artifacts.length,
    );
    const stands = best === round || !others.some((other) => other.round === best || other.round > round);
    if (!stands || step === "index") continue; // index_result writes the same paths later
    for (const { path, blob } of outcome?.artifacts ?? []) {
      const found = world.bucket.find(artifactKey(tenant, task_id, path));
      // The end of the task adds to its summary; what it is then, the view above says.
      if (found && path === SUMMARY_PATH) continue;
      if (found && sha256(found.bytes) === blob.sha256) continue;
      world.violate(
        "the latest round's artifacts stand",
        `${task_id} ${path} is not that of ${step} ${round}`,
      );
    }
  }
}

/** The earliest of the rounds with the fewest failed tests, and of those the most passed ones; none when one passed. */
function bestOfFailed(steps: StepRecord[], tested: string | undefined): number | undefined {
  const rounds = steps.filter(({ step, outcome }) => step === tested && outcome !== undefined);
  if (rounds.some(({ outcome }) => outcome?.verdict === "passed")) return undefined;
  let best: { round: number; failed: number; passed: number } | undefined;
  for (const { round, outcome } of rounds.toSorted((a, b) => a.round - b.round)) {
    const { tests_failed = 0, tests_passed: passed = 0 } = (outcome?.output ?? {}) as Record<string, number>;
    const failed = tests_failed + passed === 0 ? Number.POSITIVE_INFINITY : tests_failed;
    const is_better = !best || failed < best.failed || (failed === best.failed && passed > best.passed);
    if (is_better) best = { round, failed, passed };
  }
  return best?.round;
}
