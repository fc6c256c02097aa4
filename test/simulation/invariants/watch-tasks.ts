import type { TaskRecord } from "#schemas/records/task.ts";
import type { Change } from "../dynamodb/table.ts";
import type { Invocation } from "../engine/invocation.ts";
import type { World } from "../engine/world.ts";
import { checkSealed } from "./check-sealed.ts";

/** Invariants of task records, checked at every write that takes. */
export function watchTasks(world: World) {
  const open_tasks = new Map<string, number>();
  const onWrite = ({ key, before, after }: Change, writer: Invocation) => {
    const was = before as TaskRecord | undefined;
    const is = after as unknown as TaskRecord;
    const name = key.pk;
    if (!was) {
      open_tasks.set(name, Date.parse(is.deadline_at));
      return world.count("tasks accepted");
    }
    if (is.version !== was.version + 1) {
      world.violate("one writer a version", `${name}: ${was.version} → ${is.version} by ${writer.number}`);
    }
    if ((is.reopenings ?? []).length > (was.reopenings ?? []).length) {
      open_tasks.set(name, Date.parse(is.deadline_at));
      world.count(`tasks ${was.status}`, -1);
      return world.count("tasks reopened");
    }
    if (was.sealed_at) world.violate("a sealed task rests", `${name} written by ${writer.number}`);
    if (
      was.ended_at &&
      (was.status !== is.status || was.verdict !== is.verdict || was.ended_at !== is.ended_at)
    ) {
      world.violate("a task ends once", `${name}: ${was.status} → ${is.status}`);
    }
    if (is.sealed_at && !was.sealed_at) {
      open_tasks.delete(name);
      world.count(`tasks ${is.status}`);
      checkSealed(world, key);
    }
  };
  return { onWrite, open_tasks };
}
