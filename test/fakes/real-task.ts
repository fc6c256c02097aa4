import { stepClaims } from "#lib/resilience/idempotency/step-claims.ts";
import { createTask, moveTask, type TaskPorts } from "#lib/work/tasks/task-store.ts";
import type { ManifestEntry } from "#schemas/records/step.ts";
import { TaskRecord } from "#schemas/records/task.ts";

const TASKS_MS = 30 * 86_400_000;

/** Tasks and steps of one tenant in a real table, written as the gateway and the agents write them. */
export function taskWriter(tenant: string, ports: TaskPorts) {
  const claims = stepClaims(ports);
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    /** An open task, accepted now, with a deadline in an hour. `number` makes its id. */
    async accept(number: number, spec: Partial<TaskRecord["spec"]> = {}): Promise<TaskRecord> {
      const now = ports.runtime.now();
      const task = TaskRecord.parse({
        tenant,
        task_id: `task_${String(number).padStart(26, "0")}`,
        status: "accepted",
        spec: {
          workflow: "run",
          source: { kind: "git", url: "https://example.test/a.git" },
          repository: "default",
          profile: "standard",
          ...spec,
        },
        definition: {
          description: "fake",
          requires: [],
          steps: [{ step: "run", agent: "sandbox", input: { source: "source" } }],
        },
        submission_hash: "0".repeat(64),
        trace_id: "a".repeat(32),
        traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
        version: 1,
        created_at: at(now),
        updated_at: at(now),
        deadline_at: at(now + 3_600_000),
      });
      await createTask(task, now, ports);
      return task;
    },

    /** A completed step with these files. */
    async complete(
      task: TaskRecord,
      step: { step: string; round?: number; service?: string; verdict?: "passed" | "failed" | "error" },
      artifacts: ManifestEntry[],
    ): Promise<void> {
      const { step: name, round = 0, service = name, verdict = "passed" } = step;
      const key = { tenant, task_id: task.task_id, step: name, round };
      const claim = await claims.claim({
        key,
        service,
        idempotency_key: "b".repeat(64),
        source_hash: "c".repeat(64),
        expires_at: Math.ceil((Date.parse(task.deadline_at) + TASKS_MS) / 1000),
        owner: "test",
        lease_ms: 10_000,
        attempts_max: 3,
      });
      if (claim.kind !== "claimed") throw new Error(`step ${name} was not claimed: ${claim.kind}`);
      await claims.complete(key, claim.lease, { verdict, artifacts });
    },

    /** Ends and seals it, to expire 30 days after its deadline. */
    async end(task: TaskRecord, status: "succeeded" | "failed" = "succeeded"): Promise<TaskRecord> {
      const now = at(ports.runtime.now());
      const expires_at = Math.ceil((Date.parse(task.deadline_at) + TASKS_MS) / 1000);
      const changes = { status, ended_at: now, sealed_at: now, expires_at };
      const ended = await moveTask(task, changes, undefined, ports);
      if (!ended) throw new Error("somebody else moved the task");
      return ended;
    },
  };
}

/** A file in a manifest, whose bytes nobody asks for. */
export function manifestEntry(path: string, key = "tenants/acme/blobs/none"): ManifestEntry {
  return { path, blob: { key, sha256: "d".repeat(64), bytes: 1 }, content_type: "text/plain" };
}
