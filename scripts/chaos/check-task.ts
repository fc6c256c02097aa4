import { sha256 } from "#lib/platform/hash/sha256.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { TaskView } from "#schemas/http/task-view.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { Operator } from "./operator.ts";
import type { Accepted } from "./submitter.ts";

export interface CheckedTask {
  violations: string[];
  ledger: Ledger | undefined;
  artifacts: number;
}

/** Whether an accepted task ended once, as it must, with one whole set of artifacts. */
export async function checkTask(task: Accepted, operator: Operator): Promise<CheckedTask> {
  const ledger = await operator.ledger(task.tenant, task.task_id);
  if (!ledger) return { violations: ["accepted, and not in the table"], ledger, artifacts: 0 };
  const view = await task.api.get(TaskView, `/api/tasks/${task.task_id}`);
  const violations = [
    ...checkEnding(task, view),
    ...ledger.steps.flatMap(checkStep),
    ...(await checkArtifacts(task, view, operator)),
  ];
  return { violations, ledger, artifacts: view.artifacts.length };
}

function checkEnding({ expected }: Accepted, view: TaskView): string[] {
  const violations: string[] = [];
  if (!view.ended_at) violations.push(`lost: it is ${view.status}, and nothing is left that would end it`);
  if (view.status !== expected.status || view.error?.code !== expected.code) {
    const came = [view.status, view.error?.code, view.error?.message].filter(Boolean).join(" ");
    violations.push(`ended ${came} instead of ${[expected.status, expected.code].filter(Boolean).join(" ")}`);
  }
  const steps = view.steps.map(({ step, round, verdict }) => `${step}#${round} ${verdict}`);
  if (steps.join(", ") !== expected.steps.join(", ")) {
    violations.push(`went ${steps.join(", ")} instead of ${expected.steps.join(", ")}`);
  }
  return violations;
}

/** One outcome, by the last who claimed it, every claim with a fencing token of its own. */
function checkStep({ step, round, status, outcome, owner, fence, history }: StepRecord): string[] {
  const name = `${step}#${round}`;
  const violations: string[] = [];
  if (status !== "completed" || !outcome) violations.push(`${name} is ${status}`);
  if (history.at(-1)?.owner !== owner) violations.push(`${name} was ended by another than its last claimant`);
  if (fence < history.length) violations.push(`${name} has ${history.length} claims and fence ${fence}`);
  const paths = (outcome?.artifacts ?? []).map(({ path }) => path);
  if (new Set(paths).size !== paths.length)
    violations.push(`${name} has artifacts twice: ${paths.join(", ")}`);
  return violations;
}

/** Meta files that the API answers from the ledger: of them only a report's stands in the bucket. */
const FROM_THE_LEDGER = /(?<!\/report\.json)\.meta\.json$/;

async function checkArtifacts(
  { tenant, task_id, api }: Accepted,
  view: TaskView,
  operator: Operator,
): Promise<string[]> {
  const violations: string[] = [];
  const layout = await operator.layout(tenant, task_id);
  for (const { path, href, sha256: wanted, bytes } of view.artifacts) {
    const read = await api.download(href);
    if (read.byteLength !== bytes || sha256(read) !== wanted) {
      violations.push(`${path} reads as other bytes than it is listed with`);
    }
    const stands = layout.get(path);
    if (stands === undefined && FROM_THE_LEDGER.test(path)) continue;
    if (stands !== wanted) violations.push(`${path} ${stands ? "differs" : "is missing"} in the bucket`);
    layout.delete(path);
  }
  for (const path of layout.keys()) violations.push(`${path} is in the bucket and in no manifest`);
  return violations;
}
