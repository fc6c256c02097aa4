import { type AuditNote, type AuditPorts, recordAudit } from "#lib/http/audit/record-audit.ts";

/**
 * Does a deed only after the trail says that it was ordered, so that nothing is ever done unrecorded.
 * When the deed throws, a second entry says that it failed; a process that dies in between leaves the
 * order alone, which then may or may not have been done.
 */
export async function withAudit<Result>(
  note: Omit<AuditNote, "outcome" | "of">,
  ports: AuditPorts,
  deed: () => Promise<Result>,
): Promise<Result> {
  const { entry_id } = await recordAudit({ ...note, outcome: "ordered" }, ports);
  try {
    return await deed();
  } catch (error) {
    const { entry_id: _, ...same } = note;
    const detail = { ...note.detail, reason: error instanceof Error ? error.message : String(error) };
    // The deed's own error matters more than that its end is not told.
    await recordAudit({ ...same, detail, outcome: "failed", of: entry_id }, ports).catch(() => undefined);
    throw error;
  }
}
