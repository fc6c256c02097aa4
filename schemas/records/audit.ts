import { z } from "zod";
import { Instant, Tenant } from "#schemas/primitives.ts";
import { Subject } from "#schemas/records/api-key.ts";

/** Whose trail holds what concerns no single tenant, such as configuration. */
const PLATFORM = "_platform";

export const AuditOutcome = z
  .enum(["ordered", "done", "failed", "seen"])
  .describe(
    "`ordered`: written before it is done; `failed`: what was ordered in `of` was not done; `done`: written afterwards; `seen`: noticed, done by somebody else",
  );
export type AuditOutcome = z.infer<typeof AuditOutcome>;

export const AuditAction = z
  .string()
  .regex(/^[a-z][a-z_]{0,30}\.[a-z][a-z_]{0,30}$/)
  .describe("what was done, for example `key.revoke`, `circuit.force`, `dlq.replay`, `config.change`");

/** Who did what: pk `AUDIT#<tenant>`, sk its entry id. Written once and never changed. */
export const AuditRecord = z.strictObject({
  entry_id: z.string().regex(/^[0-9a-f]{16}$/),
  at: Instant,
  tenant: z.union([Tenant, z.literal(PLATFORM)]).describe("`_platform`: of no single tenant"),
  subject: Subject,
  action: AuditAction,
  target: z.string().min(1).max(200).describe("what it was done to: a key id, a circuit, a queue, a file"),
  outcome: AuditOutcome,
  of: z.string().optional().describe("entry id of the order this tells the end of"),
  detail: z
    .record(z.string().max(50), z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]))
    .refine((detail) => Object.keys(detail).length <= 20, { message: "must have at most 20 facts" })
    .optional(),
  trace_id: z.string().max(64).optional(),
  source_ip: z.string().max(64).optional(),
  expires_at: z.int().describe("Unix time in s after which the entry is gone (DynamoDB TTL)"),
});
export type AuditRecord = z.infer<typeof AuditRecord>;
