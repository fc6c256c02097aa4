import { countTasks } from "#lib/work/tasks/count-tasks.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { EPOCH_MS } from "../engine/scheduler.ts";
import type { World } from "../engine/world.ts";

const STATUSES = ["succeeded", "failed", "canceled"];
const HALF_A_DAY_MS = 43_200_000;

/** At rest the exact counts are the ends that were seen as they took effect, whatever was killed, repeated or lost. */
export async function checkCounts(world: World): Promise<void> {
  await untilIndexed(world);
  const tasks = [...world.table.items()].filter(({ sk }) => sk === "TASK") as unknown as TaskRecord[];
  const table = { send: async ({ input }: { input: object }) => world.table.query(input) } as never;
  const runtime = { now: () => EPOCH_MS + HALF_A_DAY_MS }; // the simulation lasts some hours from EPOCH_MS on
  const counted = new Map<string, number>();
  for (const tenant of new Set(tasks.map((task) => task.tenant))) {
    const { ended } = await countTasks(tenant, { table, table_name: "table", runtime });
    for (const [status, count] of Object.entries(ended)) {
      counted.set(status, (counted.get(status) ?? 0) + count);
    }
  }
  for (const status of STATUSES) {
    const seen = world.counts.get(`tasks ${status}`) ?? 0;
    const count = counted.get(status) ?? 0;
    if (count !== seen) world.violate("exact counts are exact", `${status}: ${count} counted, ${seen} seen`);
  }
}

/** Until the indexes have followed every write so far. */
async function untilIndexed({ scheduler, faults }: World): Promise<void> {
  let followed = false;
  scheduler.after(faults.index_lag_ms + 1, "the indexes have followed", () => {
    followed = true;
  });
  await scheduler.run(() => followed);
}
