import { sha256 } from "#lib/artifacts/blobs.ts";
import { artifactKey } from "#lib/artifacts/layout.ts";
import { parseStepItem } from "#lib/idempotency/step-item.ts";
import { parseTaskItem } from "#lib/tasks/task-store.ts";
import { artifactViews } from "#lib/tasks/task-view.ts";
import type { Key } from "../dynamodb/table.ts";
import type { World } from "../engine/world.ts";

/** An ended task shows exactly the artifacts its ledger lists, each in its place with the bytes it should have. */
export function checkSealed(world: World, { pk }: Pick<Key, "pk">): void {
  const { Items } = world.table.query({
    KeyConditionExpression: "pk = :pk",
    ExpressionAttributeValues: { ":pk": pk },
  });
  const tasks = Items.filter(({ sk }) => sk === "TASK").map(parseTaskItem);
  const steps = Items.filter(({ sk }) => sk !== "TASK").map(parseStepItem);
  steps.sort((a, b) => a.started_at.localeCompare(b.started_at) || a.round - b.round);
  for (const { step, round, status } of steps) {
    if (status === "running" || status === "waiting") {
      world.violate("an ended task has no open step", `${pk} ${step} ${round} is ${status}`);
    }
  }
  for (const task of tasks) {
    const service_version = world.deployment.settings.service_version;
    for (const { path, bytes, sha256: digest } of artifactViews({ task, steps }, service_version)) {
      const found = world.bucket.find(artifactKey(task.tenant, task.task_id, path));
      world.count("artifacts compared");
      if (!found) world.violate("ended implies artifacts readable", `${pk} ${path} is not there`);
      else if (found.bytes.byteLength !== bytes || sha256(found.bytes) !== digest) {
        world.violate("artifacts equal the manifest", `${pk} ${path}`);
      }
    }
  }
}
