import type { Command } from "commander";
import { queryOf } from "../../ask-and-show.ts";
import { type FilterOptions, filterOf } from "../../failure-filter.ts";
import { count } from "../../render/format.ts";
import { escaped } from "../../render/visible.ts";
import { openSession } from "../../session.ts";
import { createTerminal } from "../../terminal.ts";

const EXPORT_PAGE = 100;

/** Writes a line of JSON for each failure, page by page; how many, to standard error. */
export async function exportAll(options: FilterOptions, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["The export is not whole."];
  const progress = createTerminal(process.stderr, process.env);
  const shows = progress.interactive && !process.stdout.isTTY;
  const started_ms = Date.now();
  let cursor: string | null = null;
  let lines = 0;
  do {
    const query: string = queryOf({
      ...filterOf(options),
      limit: EXPORT_PAGE,
      ...(cursor !== null && { cursor }),
    });
    const page = await session.api.page(`/api/dlq/export${query}`);
    process.stdout.write(escaped(page.text));
    lines += page.text.split("\n").length - 1;
    if (shows)
      progress.live(`  ${count(lines, "failure")} in ${Math.round((Date.now() - started_ms) / 1000)} s`);
    cursor = page.next_cursor;
  } while (cursor !== null);
  if (shows) progress.lines(`${progress.paint.green("✓")} exported ${count(lines, "failure")}`);
}
