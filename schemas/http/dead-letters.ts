import { z } from "zod";
import { ArtifactView } from "#schemas/http/task-view.ts";
import {
  ErrorCode,
  Instant,
  ONE_LINE,
  SAYS_SOMETHING,
  Sha256,
  TaskId,
  TraceId,
} from "#schemas/primitives.ts";
import { CircuitState } from "#schemas/records/circuit.ts";

/** Name of one failure in the API: its tenant, a dot, and the failure's own id with dots for `#`. */
export const FailureName = z
  .string()
  .max(200)
  .regex(/^[a-z0-9][a-z0-9-]{0,38}(\.[0-9A-Za-z-]{1,100}){1,2}$/)
  .describe("name of a failure, as GET /api/dlq/failures lists it");

/** A queue-fed agent. Its queue and its dead-letter queue have the same name. */
const QueueName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/)
  .describe("the dead-letter queue, named by the agent whose messages it holds, for example buildtest");

/** What became of a failure. The message of an `open` or `permanently_failed` one is in its dead-letter queue. */
export const FailureState = z
  .enum(["open", "permanently_failed", "replayed", "resolved", "discarded"])
  .describe(
    "`open`: waits for an operator; `permanently_failed`: waits, and was replayed as often as is allowed; `replayed`: sent again; `resolved`: needs no replay any more; `discarded`: given up",
  );
export type FailureState = z.infer<typeof FailureState>;

/** Selects failures. An absent field selects all of them. */
export const FailureFilter = z.strictObject({
  queue: QueueName.optional(),
  agent: z.string().min(1).max(64).describe("the agent that the message was for").optional(),
  tenant: z
    .string()
    .min(1)
    .max(39)
    .describe("only of this tenant; other tenants than your own for operator tenants only")
    .optional(),
  code: ErrorCode.optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{4,64}$/)
    .describe("fingerprint of a kind of failure, or how it begins")
    .optional(),
  trace: TraceId.optional(),
  task: TaskId.optional(),
  since: Instant.describe("failed last at or after this instant").optional(),
  until: Instant.describe("failed last before this instant").optional(),
  text: z
    .string()
    .min(1)
    .max(200)
    .describe("words that the error's sentence, its causes or the message's text contain, in any case")
    .optional(),
});
export type FailureFilter = z.infer<typeof FailureFilter>;

/** How fresh an answer is. It comes from failure records; no message is received for it. */
export const Freshness = z.strictObject({
  as_of: Instant.describe("failures recorded before this instant are in it, but for the last second or so"),
  swept_at: Instant.nullable().describe(
    "when the dead-letter queues were last read for messages that SQS moved there by itself; null: not yet",
  ),
});
export type Freshness = z.infer<typeof Freshness>;

/** One failure in a list. */
export const FailureView = z.strictObject({
  failure: FailureName,
  state: FailureState,
  queue: QueueName,
  tenant: z.string().describe("`unknown` when the message cannot be read"),
  code: ErrorCode,
  message: z.string(),
  fingerprint: Sha256,
  native: z.boolean().describe("SQS moved the message: its worker died each time and recorded nothing"),
  message_id: z.string(),
  task_id: TaskId.nullable(),
  step: z.string().nullable(),
  round: z.int().nullable(),
  trace_id: TraceId.nullable(),
  attempts: z.int().min(0).describe("tries of the step before it was given up"),
  replays: z.int().min(0).describe("how often the work had been replayed before this failure"),
  first_at: Instant,
  last_at: Instant,
});
export type FailureView = z.infer<typeof FailureView>;

/** Answer of `GET /api/dlq/failures`, latest failure first. */
export const FailureList = z.strictObject({
  failures: z.array(FailureView),
  next_cursor: z.string().nullable(),
  freshness: Freshness,
});
export type FailureList = z.infer<typeof FailureList>;

/** Failures with the same fingerprint: the same agent, code and first cause. */
export const FailureGroup = z.strictObject({
  fingerprint: Sha256,
  queue: QueueName,
  code: ErrorCode,
  count: z.int().min(1),
  permanently_failed: z.int().min(0).describe("how many of them were replayed as often as is allowed"),
  tenants: z.int().min(1),
  first_at: Instant.describe("the first failure of the earliest of them"),
  last_at: Instant,
  message: z.string().describe("what the latest of them says"),
  example: FailureName.describe("the latest of them"),
});
export type FailureGroup = z.infer<typeof FailureGroup>;

/** Answer of `GET /api/dlq/groups`: open failures by kind, the largest kind first. */
export const FailureGroups = z.strictObject({
  groups: z.array(FailureGroup).max(1000),
  counted: z.int().min(0).describe("failures that were counted"),
  truncated: z.boolean().describe("there are more than were counted: narrow the filter"),
  freshness: Freshness,
});
export type FailureGroups = z.infer<typeof FailureGroups>;

/** One dead-letter queue. */
export const DeadLetterQueueView = z.strictObject({
  queue: QueueName,
  depth: z.int().min(0).describe("open failures in it, of the tenants you may see"),
  permanently_failed: z.int().min(0).describe("how many of these were replayed as often as is allowed"),
  messages: z
    .int()
    .min(0)
    .nullable()
    .describe("messages in it as SQS counts them, of all tenants; null unless you are of an operator tenant"),
  oldest_at: Instant.nullable().describe("the earliest last failure of these; null when there is none"),
  oldest_age_seconds: z.int().min(0).nullable(),
  trend: z
    .array(z.int().min(0))
    .length(24)
    .describe("open failures by the hour in which they failed last: the last 24 hours, oldest first"),
});
export type DeadLetterQueueView = z.infer<typeof DeadLetterQueueView>;

/** Answer of `GET /api/dlq/queues`, by name. */
export const DeadLetterQueues = z.strictObject({
  queues: z.array(DeadLetterQueueView),
  truncated: z.boolean().describe("there are more failures than were counted"),
  freshness: Freshness,
});
export type DeadLetterQueues = z.infer<typeof DeadLetterQueues>;

/** What a replay of one failure does, as its task's ledger stands. */
export const ReplayExpectation = z
  .enum(["run", "already_done", "lease_live", "mismatch", "not_possible", "permanently_failed", "not_found"])
  .describe(
    "`run`: the work runs again; `already_done`: it was done or replayed since, and only the message is removed; `lease_live`: a worker has it now; `mismatch`: the step was claimed for another input; `not_possible`: reason says why; `permanently_failed`: it was replayed as often as is allowed; `not_found`: no open failure",
  );
export type ReplayExpectation = z.infer<typeof ReplayExpectation>;

const Expected = z.strictObject({
  expectation: ReplayExpectation,
  reason: ErrorCode,
  says: z.string(),
});

const PolicyNow = z.strictObject({
  at_failure: z.string().describe("hash of configs/retry_policy.json when it failed"),
  now: z.string().describe("its hash now, as the gateway sees it"),
  changed: z.boolean(),
});

/** A circuit of the agent that failed: how it stood at the failure, and stands now. */
export const FailureCircuit = z.strictObject({
  key: z.string(),
  at_failure: CircuitState.nullable().describe(
    "state at the last failure, by the circuit's last transitions; null when these do not reach back",
  ),
  now: CircuitState,
});

export type FailureCircuit = z.infer<typeof FailureCircuit>;

/** Answer of `GET /api/dlq/failures/{id}`. */
export const FailureDetail = FailureView.extend({
  cause_chain: z.array(z.string()).max(10),
  envelope: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe(
      "the message; values that look like secrets are replaced by `[redacted]`. null: it is no envelope",
    ),
  body: z
    .string()
    .nullable()
    .describe("the message's text where it is no envelope, cut at 10,000 characters"),
  attempts_timeline: z
    .array(
      z.strictObject({
        kind: z.enum(["attempt", "failed", "replayed", "last_error", "ended"]),
        at: Instant,
        says: z.string(),
      }),
    )
    .describe("what is known of the step's tries, failures and replays, oldest first"),
  task_status: z.string().nullable(),
  step_status: z.string().nullable(),
  trace_href: z.string().nullable().describe("GET this for the trace of the task"),
  artifacts: z.array(ArtifactView).describe("what the step left"),
  function_name: z.string(),
  request_id: z.string(),
  receives: z.int().min(0).nullable(),
  policy: PolicyNow,
  circuits: z.array(FailureCircuit),
  replay: Expected.describe("what a replay would do now"),
  replay_of: z.string().nullable().describe("message_id of the message that the failed one replayed"),
  edited_from: FailureName.nullable().describe("the failure whose edited message failed here"),
  edit: z
    .strictObject({
      failure: FailureName.describe("the failure whose message was edited: this one, or edited_from"),
      at: Instant,
      by: z.string().nullable().describe("null: the edit was interrupted; the audit trail knows"),
      why: z.string().nullable(),
      diff: z.string().describe("unified diff of the payload, as sorted and indented JSON"),
    })
    .nullable()
    .describe("the last edit that this message was made by, or that was made of it"),
  settled_by: z.string().nullable().describe("id of the replay job that settled it"),
  replayed_at: Instant.nullable(),
  resolved_at: Instant.nullable(),
  discarded_at: Instant.nullable(),
  discarded_because: z.string().nullable(),
  replayed_as: z.string().nullable().describe("message_id of the message it was replayed by"),
  freshness: Freshness,
});
export type FailureDetail = z.infer<typeof FailureDetail>;

/** Why an operator does it, for the audit trail. */
export const Why = z
  .string()
  .max(500)
  .regex(SAYS_SOMETHING, "something besides blanks")
  .regex(ONE_LINE, "no control character")
  .describe("why, for the audit trail");

/** Body of `POST /api/dlq/failures/{id}/edit`. */
export const FailureEdit = z.strictObject({
  payload: z
    .record(z.string(), z.unknown())
    .describe(
      "the agent's whole input, as its schema has it; `[redacted]` in a secret's place keeps the secret",
    ),
  why: Why,
  dry_run: z.boolean().default(false).describe("check and show the difference only"),
});
export type FailureEdit = z.infer<typeof FailureEdit>;

/** Answer of an edit. */
export const FailureEdited = z.strictObject({
  failure: FailureName,
  diff: z.string().describe("unified diff of the payload, as sorted and indented JSON; empty: no difference"),
  expectation: ReplayExpectation,
  reason: ErrorCode,
  says: z.string(),
  sent: z.boolean().describe("the edited message was sent; the original is kept in the failure's record"),
  message_id: z.string().nullable().describe("of the edited message, whose replay_of names the original"),
});
export type FailureEdited = z.infer<typeof FailureEdited>;

/** A failure as export writes it, a line of JSON each, and as import takes it. */
export const ExportedFailure = z.strictObject({
  failure: FailureName,
  queue: QueueName,
  code: ErrorCode,
  message: z.string().max(10_000),
  cause_chain: z.array(z.string().max(10_000)).max(10),
  attempts: z.int().min(0),
  first_at: Instant,
  last_at: Instant,
  function_name: z.string().max(200),
  request_id: z.string().max(200),
  policy_hash: z.string().max(100),
  replays: z.int().min(0),
  body: z.string().min(1).max(250_000).describe("the message as it was received"),
});
export type ExportedFailure = z.infer<typeof ExportedFailure>;

/** Body of `POST /api/dlq/import`: lines of an export. */
export const FailureImport = z.strictObject({
  failures: z.array(ExportedFailure).min(1).max(100),
  why: Why,
});
export type FailureImport = z.infer<typeof FailureImport>;

/** Answer of an import, in the order of its lines. */
export const FailuresImported = z.strictObject({
  results: z.array(
    z.strictObject({
      failure: FailureName,
      did: z.enum(["imported", "exists", "refused"]).describe("`exists`: nothing was changed"),
      code: ErrorCode.nullable(),
      says: z.string(),
    }),
  ),
});
export type FailuresImported = z.infer<typeof FailuresImported>;
