import type { AuditEntry, AuditList } from "#schemas/http/audit-list.ts";
import type { Paint } from "./paint.ts";

/** One line an entry, newest first. `again` is the command that made the list. */
export function auditTable({ entries, next_cursor }: AuditList, paint: Paint, again: string): string[] {
  const more = next_cursor === null ? [] : [paint.dim(`More: ${again} --cursor ${next_cursor}`)];
  if (entries.length === 0) return [paint.dim("No entries like that."), ...more];
  const width = Math.max(...entries.map(({ action }) => action.length));
  const lines = entries.map((entry) => {
    const outcome = entry.outcome === "failed" ? paint.red("failed ") : entry.outcome.padEnd(7);
    return `${entry.at}  ${outcome}  ${entry.action.padEnd(width)}  ${entry.target}  by ${entry.subject}${facts(entry)}`;
  });
  return [...lines, ...more];
}

function facts({ detail = {} }: AuditEntry): string {
  const told = Object.entries(detail).map(([name, value]) => `${name}=${value}`);
  return told.length === 0 ? "" : `  (${told.join(", ")})`;
}
