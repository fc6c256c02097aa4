import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CheckedTask, checkTask } from "./check-task.ts";
import type { Operator } from "./operator.ts";
import { countEndings, type LogLine } from "./stack-log.ts";
import type { Accepted } from "./submitter.ts";

const CHECKS_AT_ONCE = 4;

/** Checks every task, and writes the ledger and the log of each one at fault into `folder`. */
export async function checkAll(accepted: Accepted[], operator: Operator, lines: LogLine[], folder: string) {
  const endings = countEndings(lines);
  const checked: CheckedTask[] = [];
  const violations: string[] = [];
  const queue = [...accepted];
  const check = async () => {
    for (let task = queue.shift(); task; task = queue.shift()) {
      const { task_id, kind } = task;
      const result = await checkTask(task, operator);
      for (const [what, count] of endings) {
        if (count > 1 && what.startsWith(task_id)) result.violations.push(`${what} ended ${count} times`);
      }
      checked.push(result);
      if (result.violations.length === 0) continue;
      violations.push(...result.violations.map((text) => `${task_id} (${kind}): ${text}`));
      writeViolation(task, result, lines, folder);
    }
  };
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, check));
  return { checked, violations };
}

function writeViolation(
  { api: _, ...task }: Accepted,
  { violations, ledger }: CheckedTask,
  lines: LogLine[],
  folder: string,
): void {
  const log = lines.filter(({ task_id }) => task_id === task.task_id);
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify({ violations, task, ledger, log }, null, 2);
  writeFileSync(join(folder, `${task.task_id}.json`), `${text}\n`);
}
