import { z } from "zod";
import { AuditRecord } from "#schemas/records/audit.ts";

export const AuditEntry = AuditRecord.omit({ expires_at: true });
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Answer of `GET /api/audit`, newest first. */
export const AuditList = z.strictObject({
  entries: z.array(AuditEntry),
  next_cursor: z.string().nullable(),
});
export type AuditList = z.infer<typeof AuditList>;
