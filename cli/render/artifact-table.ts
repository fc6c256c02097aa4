import type { ArtifactIndex } from "#schemas/http/task-view.ts";
import { count, formatBytes, formatDuration } from "./format.ts";
import { type Paint, verdictSign } from "./paint.ts";

/** One line an artifact set, newest first. `now` in Unix ms; `again` is the command that made the list. */
export function artifactTable(index: ArtifactIndex, paint: Paint, now: number, again: string): string[] {
  const more = index.next_cursor === null ? [] : [paint.dim(`More: ${again} --cursor ${index.next_cursor}`)];
  if (index.entries.length === 0) return [paint.dim("No artifacts like that."), ...more];
  const lines = index.entries.map(({ artifacts, ...set }) => {
    const files = artifacts.filter(({ path }) => !path.endsWith(".meta.json"));
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const step = set.round === 0 ? set.step : `${set.step}, repair ${set.round}`;
    const age = `${formatDuration(now - Date.parse(set.completed_at))} ago`;
    const size = `${count(files.length, "file")}, ${formatBytes(bytes)}`;
    return `${verdictSign(set.verdict, paint)} ${set.task_id}  ${(set.kind ?? "–").padEnd(10)}  ${step.padEnd(19)}  ${size.padStart(18)}  ${age.padStart(15)}`;
  });
  return [...lines, ...more];
}
