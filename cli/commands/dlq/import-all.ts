import type { Command } from "commander";
import { ExportedFailure, FailuresImported } from "#schemas/http/dead-letters.ts";
import { describeIssue } from "#schemas/issue-sentence.ts";
import { UsageError } from "../../cli-error.ts";
import { exitCode } from "../../exit-code.ts";
import { readText } from "../../read-text.ts";
import { importLines } from "../../render/failure-table.ts";
import { count } from "../../render/format.ts";
import { openSession } from "../../session.ts";

const LINES_MAX = 50;
const BYTES_MAX = 2_000_000;

/**
 * Sends the lines of an export, a request for some of them each. All are read and checked before the first is sent.
 * Exit code 1 when a line was refused.
 */
export async function importAll(file: string, { why }: { why: string }, command: Command): Promise<void> {
  const lines = readText(file).split("\n");
  const failures = lines.flatMap((line, index) => (line.trim() === "" ? [] : [parseLine(line, index + 1)]));
  const session = openSession(command);
  session.interruptHints = [
    "Some lines may be imported; import the file again, which changes nothing twice.",
  ];
  const results: FailuresImported["results"] = [];
  for (const batch of batchesOf(failures)) {
    session.terminal.live(`  ${results.length} of ${count(failures.length, "failure")}`);
    const body = { failures: batch, why };
    results.push(...(await session.api.post(FailuresImported, "/api/dlq/import", { body })).results);
  }
  session.terminal.live();
  session.answer({ results }, () => importLines({ results }, session.terminal.paint));
  if (results.some(({ did }) => did === "refused")) process.exitCode = exitCode.failed;
}

function parseLine(line: string, number: number): ExportedFailure {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UsageError(`Line ${number} is no JSON: ${(error as Error).message}. Nothing was imported.`);
  }
  const parsed = ExportedFailure.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const says = issue ? describeIssue(issue) : "it is another document";
  throw new UsageError(`Line ${number} is no failure of an export: ${says}. Nothing was imported.`);
}

function* batchesOf(failures: ExportedFailure[]): Generator<ExportedFailure[]> {
  let batch: ExportedFailure[] = [];
  let bytes = 0;
  for (const failure of failures) {
    const more = Buffer.byteLength(JSON.stringify(failure));
    if (batch.length === LINES_MAX || (batch.length > 0 && bytes + more > BYTES_MAX)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(failure);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}
