import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";
import { planReplay, type ReplayPlan } from "#lib/agents/dlq/plan-replay.ts";
import type { ReplayPorts } from "#lib/agents/dlq/replay-ports.ts";
import { readLedger } from "#lib/work/tasks/task-store.ts";
import type { StepRecord } from "#schemas/records/step.ts";
import type { TaskRecord } from "#schemas/records/task.ts";

/** A dead letter with all that is known of it, and what a replay would do now. */
export interface CaseExplanation {
  one: DeadLetterCase;
  task: TaskRecord | undefined;
  step: StepRecord | undefined;
  plan: ReplayPlan;
}

/** Joins a case with its task and step. Reads only. */
export async function explainCase(one: DeadLetterCase, ports: ReplayPorts): Promise<CaseExplanation> {
  const { envelope } = one.letter;
  const ledger = envelope && (await readLedger(envelope.tenant, envelope.task_id, ports));
  const step = ledger?.steps.find(
    (record) => record.step === envelope?.step && record.round === envelope.round,
  );
  return { one, task: ledger?.task, step, plan: planReplay(one.letter, ledger, ports.runtime.now()) };
}
