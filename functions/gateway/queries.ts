import { z } from "zod";
import { FailureFilter, FailureState } from "#schemas/http/dead-letters.ts";
import { ReplayOutcome } from "#schemas/http/replays.ts";
import { DeliveryState } from "#schemas/http/webhooks.ts";
import { Verdict } from "#schemas/primitives.ts";
import { TaskStatus } from "#schemas/records/task.ts";
import { WebhookId } from "#schemas/records/webhook.ts";

/** A whole number as a query string writes it. */
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,9}$/, "a whole number")
    .pipe(z.coerce.number<string>().int().min(min).max(max));

const Flag = z.stringbool({ truthy: ["true"], falsy: ["false"] });

const Moment = z.iso.datetime({ offset: true });

const Paging = {
  limit: whole(1, 100).describe("entries of a page; 20 when absent").prefault("20"),
  cursor: z.string().min(1).max(1000).optional(),
  since: Moment.describe("from this RFC 3339 instant on").optional(),
  until: Moment.describe("before this RFC 3339 instant").optional(),
};

/** `GET /api/tasks` */
export const ListQuery = z.strictObject({ ...Paging, status: TaskStatus.optional() });
export type ListQuery = z.infer<typeof ListQuery>;

/** `GET /api/artifacts/index` */
export const ArtifactQuery = z.strictObject({
  ...Paging,
  task: z.string().min(1).max(64).optional(),
  kind: z.string().min(1).max(64).describe("folder of the files, for example build-test").optional(),
  producer: z.string().min(1).max(64).describe("the agent that wrote them").optional(),
  verdict: Verdict.optional(),
  latest: Flag.describe("only the latest set of each kind of a task").optional(),
});
export type ArtifactQuery = z.infer<typeof ArtifactQuery>;

/** `GET /api/keys` */
export const KeyQuery = z.strictObject(Paging);
export type KeyQuery = z.infer<typeof KeyQuery>;

/** `POST /api/keys/{id}/rotate` */
export const RotationQuery = z.strictObject({
  grace_hours: whole(0, 87_600)
    .describe("hours the old key still works; default and highest: configs/authentication.json")
    .optional(),
});
export type RotationQuery = z.infer<typeof RotationQuery>;

/** `POST /api/webhooks/{id}/rotate` */
export const WebhookRotationQuery = z.strictObject({
  grace_hours: whole(0, 87_600)
    .describe("hours in which the old secret signs too; default and highest: configs/webhooks.json")
    .optional(),
});

/** `GET /api/deliveries` */
export const DeliveryQuery = z.strictObject({
  ...Paging,
  webhook: WebhookId.describe("only to this webhook").optional(),
  task: z.string().min(1).max(64).describe("only of this task").optional(),
  state: DeliveryState.optional(),
});
export type DeliveryQuery = z.infer<typeof DeliveryQuery>;

/** `GET /api/dlq/groups` */
export const FailureGroupQuery = FailureFilter;

/** `GET /api/dlq/failures` and, without `state`, `GET /api/dlq/export` */
export const FailureQuery = FailureFilter.extend({
  state: FailureState.describe(
    "only these; without it those that wait for an operator. Settled ones of one tenant at a time",
  ).optional(),
  limit: Paging.limit,
  cursor: Paging.cursor,
});
export type FailureQuery = z.infer<typeof FailureQuery>;

export const FailureExportQuery = FailureQuery.omit({ state: true });

/** `GET /api/dlq/replays` */
export const ReplayQuery = z.strictObject({ limit: Paging.limit, cursor: Paging.cursor });
export type ReplayQuery = z.infer<typeof ReplayQuery>;

/** `GET /api/dlq/replays/{id}/results` */
export const ReplayResultQuery = z.strictObject({
  limit: Paging.limit,
  cursor: z
    .string()
    .regex(/^\d{6}$/)
    .describe("next_cursor of the page before")
    .optional(),
  outcome: ReplayOutcome.describe("only results with this outcome").optional(),
});
export type ReplayResultQuery = z.infer<typeof ReplayResultQuery>;

/** `GET /api/audit` */
export const AuditQuery = z.strictObject({
  ...Paging,
  trail: z
    .enum(["tenant", "platform"])
    .default("tenant")
    .describe("your tenant's, or that of what concerns no single tenant, such as configuration"),
  action: z
    .string()
    .min(1)
    .max(64)
    .describe("only this, for example key.revoke, or all of a kind: key")
    .optional(),
  subject: z.string().min(1).max(210).describe("only what this one did").optional(),
  target: z.string().min(1).max(200).describe("only what was done to this").optional(),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

/** `GET /api/tasks/{id}` */
export const TaskQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^[0-9]{1,2}(\.[0-9]{1,30})?(e-[0-9]{1,3})?$/, "a number of seconds")
    .pipe(z.coerce.number<string>().min(0).max(25))
    .prefault("0")
    .describe("seconds to wait for news"),
  revision: z.string().min(1).max(64).describe("wait for a view other than this one").optional(),
  links: Flag.describe("add to each artifact a short-lived `url` that needs no key").optional(),
});
