import type { DeadLetterCase } from "#lib/agents/dlq/dead-letter-case.ts";
import { groupCases } from "#lib/agents/dlq/dead-letter-case.ts";
import type { CaseExplanation } from "#lib/agents/dlq/plan-replay.ts";
import { age, oneLine, table } from "./table.ts";

/** Two tables: kinds of failure, then messages. */
export function describeCases(cases: DeadLetterCase[], now_ms: number): string[] {
  if (cases.length === 0) return ["No dead letters."];
  const groups = groupCases(cases).map((group) => [
    String(group.count),
    group.service,
    group.code,
    age(group.first_at, now_ms),
    age(group.last_at, now_ms),
    group.fingerprint.slice(0, 12),
    group.example.message,
  ]);
  const messages = cases.map((one) => [
    one.id,
    one.letter.service,
    one.code,
    one.letter.tenant,
    stepOf(one),
    age(one.last_at, now_ms),
    one.letter.envelope?.task_id ?? "-",
  ]);
  return [
    ...table(["COUNT", "SERVICE", "CODE", "FIRST", "LAST", "FINGERPRINT", "EXAMPLE"], groups),
    "",
    ...table(["ID", "SERVICE", "CODE", "TENANT", "STEP", "FAILED", "TASK"], messages),
  ];
}

function stepOf({ letter: { envelope } }: DeadLetterCase): string {
  return envelope ? `${envelope.step}#${envelope.round}` : "-";
}

/** One dead letter with its failure, its step and what a replay would do. */
export function describeExplanation({ one, task, step, plan }: CaseExplanation): string[] {
  const { letter, failure } = one;
  const facts: [string, string | undefined][] = [
    ["message", one.id],
    ["service", letter.service],
    ["tenant", letter.tenant],
    ["task", letter.envelope?.task_id],
    ["step", letter.envelope && stepOf(one)],
    ["trace", letter.envelope?.trace_id],
    ["replay of", letter.envelope?.replay_of],
    ["code", one.code],
    ["says", one.message],
    ["fingerprint", one.fingerprint],
    ["first", one.first_at],
    ["last", one.last_at],
    ["receives", failure?.receives === undefined ? undefined : String(failure.receives)],
    ["replays", failure?.replay_count === undefined ? undefined : String(failure.replay_count)],
    ["function", failure && `${failure.function_name} (request ${failure.request_id})`],
    ["policy", failure?.policy_hash.slice(0, 12)],
    ["task is", task && [task.status, task.error?.code].filter(Boolean).join(" ")],
    ["step is", step && [step.status, step.outcome?.verdict, step.outcome?.code].filter(Boolean).join(" ")],
    ["attempts", step && String(step.attempts)],
    ["body", letter.envelope ? undefined : letter.body.slice(0, 1000)],
  ];
  const causes = (failure?.cause_chain ?? []).map(
    (cause, depth) => `${"  ".repeat(depth)}because ${oneLine(cause)}`,
  );
  const known = facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
  return [
    ...known.map(([name, value]) => `${name.padEnd(12)} ${oneLine(value)}`),
    ...causes,
    "",
    `A replay now: ${oneLine(plan.sentence)} (${plan.reason}).`,
  ];
}
