import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Command, Option } from "commander";
import {
  DeadLetterQueues,
  FailureDetail,
  FailureEdited,
  FailureGroups,
  FailureList,
  FailureState,
  FailuresImported,
} from "#schemas/http/dead-letters.ts";
import { ReplayPreview, ReplayView } from "#schemas/http/replays.ts";
import { addPaging, askAndShow, commandAgain, queryOf } from "../ask-and-show.ts";
import { UsageError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { addFailureFilter, type FilterOptions, filterOf } from "../failure-filter.ts";
import { followReplay, replayExit } from "../follow-replay.ts";
import { whole } from "../parse-option.ts";
import {
  editLines,
  failureLines,
  failureTable,
  groupTable,
  importLines,
  queueTable,
} from "../render/failure-table.ts";
import { previewLines, replayLines } from "../render/replay-table.ts";
import { jsonText } from "../render/visible.ts";
import { openSession } from "../session.ts";

const EXAMPLES = `
Examples:
  $ agents dlq groups                                      kinds of failure, with counts
  $ agents dlq list --queue buildtest --since 1d
  $ agents dlq show acme.3f0c…                             causes, tries, what a replay would do
  $ agents dlq replay --fingerprint 8d1f --dry-run
  $ agents dlq replay --fingerprint 8d1f --rate 5
  $ agents dlq discard acme.3f0c… --why "the tenant left"
  $ agents dlq export > failures.jsonl

What a replay does and what you may rely on: docs/guides/redrive.md`;

interface ListOptions extends FilterOptions {
  limit: number;
  cursor?: string;
  state?: string;
}

const list = askAndShow({
  ask: (api, options: ListOptions) => api.get(FailureList, `/api/dlq/failures${queryOf({ ...options })}`),
  lines: (found, paint, [options]) =>
    failureTable(found, commandAgain("agents dlq list", { ...options }), paint),
});

const groups = askAndShow({
  ask: (api, options: FilterOptions) =>
    api.get(FailureGroups, `/api/dlq/groups${queryOf({ ...filterOf(options) })}`),
  lines: groupTable,
});

const show = askAndShow({
  ask: (api, failure: string) => api.get(FailureDetail, `/api/dlq/failures/${encodeURIComponent(failure)}`),
  lines: failureLines,
});

interface ReplayOptions extends FilterOptions {
  all?: boolean;
  dryRun?: boolean;
  rate?: string;
  concurrency?: number;
  stopOnFailures?: string;
  ignoreFailures?: boolean;
  ignoreCircuits?: boolean;
  move?: boolean;
  wait: boolean;
  why?: string;
  limit?: number;
}

/** Which failures a job is to take. Throws UsageError when the command line does not say it, or says it twice. */
function selectionOf(failures: string[], options: ReplayOptions): object {
  const filter = filterOf(options);
  const ways = [failures.length > 0, Object.keys(filter).length > 0, options.all === true];
  if (ways.filter(Boolean).length !== 1) {
    const hint = "Give names of failures, or filters such as --fingerprint, or --all; one of the three.";
    throw new UsageError("Say which failures are meant.", hint);
  }
  const limit = options.limit === undefined ? {} : { limit: options.limit };
  if (failures.length > 0) return { failures, ...limit };
  return options.all ? { all: true, ...limit } : { filter, ...limit };
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number)) return number;
  throw new UsageError(`${option} takes a number, not "${text}".`);
}

function requestOf(action: "replay" | "discard", failures: string[], options: ReplayOptions): object {
  const { why, rate, concurrency, stopOnFailures, ignoreFailures, ignoreCircuits, move } = options;
  const share = ignoreFailures ? null : numberOf("--stop-on-failures", stopOnFailures);
  return {
    action,
    selection: selectionOf(failures, options),
    ...(why !== undefined && { why }),
    ...(rate !== undefined && { rate_per_second: numberOf("--rate", rate) }),
    ...(concurrency !== undefined && { concurrency }),
    ...(share !== undefined && { stop_on_failure_share: share }),
    ...(ignoreCircuits && { stop_on_open_circuit: false }),
    ...(move && { method: "move" }),
  };
}

/** Creates a job and follows it, or says what it would do. */
const job =
  (action: "replay" | "discard") =>
  async (failures: string[], options: ReplayOptions, command: Command): Promise<void> => {
    const body = requestOf(action, failures, options);
    const session = openSession(command);
    const { api, terminal } = session;
    if (options.dryRun) {
      session.interruptHints = ["Nothing was changed."];
      const preview = await api.post(ReplayPreview, "/api/dlq/replays", { body: { ...body, dry_run: true } });
      session.answer(preview, () => previewLines(preview, terminal.paint));
      return;
    }
    session.interruptHints = ["A job may have been created: agents replays list"];
    const created = await api.post(ReplayView, "/api/dlq/replays", { body });
    session.interruptHints = [`The job goes on without you: agents replays show ${created.replay_id}`];
    const view = options.wait ? await followReplay(api, created, terminal) : created;
    session.answer(view, () => replayLines(view, terminal.paint));
    if (options.wait) process.exitCode = replayExit(view);
  };

interface EditOptions {
  payload: string;
  why: string;
  dryRun?: boolean;
}

/** The JSON of a file, or of standard input for `-`. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file} is not there, or is no JSON: ${(error as Error).message}.`);
  }
}

const edit = askAndShow({
  interrupted: "The edited message may be on its way: agents dlq show",
  ask: (api, failure: string, { payload, why, dryRun = false }: EditOptions) =>
    api.post(FailureEdited, `/api/dlq/failures/${encodeURIComponent(failure)}/edit`, {
      body: { payload: readJson(payload), why, dry_run: dryRun },
    }),
  lines: editLines,
});

const EXPORT_PAGE = 100;

/** Writes a line of JSON for each failure, page by page. */
async function exportAll(options: FilterOptions, command: Command): Promise<void> {
  const { api } = openSession(command);
  let cursor: string | null = null;
  do {
    const query: string = queryOf({
      ...filterOf(options),
      limit: EXPORT_PAGE,
      ...(cursor !== null && { cursor }),
    });
    const page = await api.page(`/api/dlq/export${query}`);
    process.stdout.write(page.text);
    cursor = page.next_cursor;
  } while (cursor !== null);
}

const IMPORT_LINES = 50;
const IMPORT_BYTES = 2_000_000;

/** Sends the lines of an export, a request for some of them each. Exit code 1 when a line was refused. */
async function importAll(file: string, { why }: { why: string }, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [
    "Some lines may be imported; import the file again, which changes nothing twice.",
  ];
  const text = readFileSync(file === "-" ? 0 : file, "utf8");
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const results: FailuresImported["results"] = [];
  for (let start = 0; start < lines.length; ) {
    const batch: string[] = [];
    let bytes = 0;
    while (start < lines.length && batch.length < IMPORT_LINES && (bytes === 0 || bytes < IMPORT_BYTES)) {
      const line = lines[start] ?? "";
      batch.push(line);
      bytes += Buffer.byteLength(line);
      start += 1;
    }
    const failures = batch.map((line, index) => parseLine(line, start - batch.length + index + 1));
    results.push(
      ...(await session.api.post(FailuresImported, "/api/dlq/import", { body: { failures, why } })).results,
    );
  }
  session.answer({ results }, () => importLines({ results }));
  if (results.some(({ did }) => did === "refused")) process.exitCode = exitCode.failed;
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UsageError(`Line ${number} is no JSON: ${(error as Error).message}.`);
  }
}

const WATCH_MS = 2000;

/** Shows how many failures wait, again whenever it changes; a line of JSON each with --json. */
async function watch({ once }: { once?: boolean }, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const { json } = command.optsWithGlobals<{ json?: boolean }>();
  for (let shown = ""; ; ) {
    const found = await session.api.get(DeadLetterQueues, "/api/dlq/queues");
    const state = JSON.stringify(found.queues.map(({ queue, depth, messages }) => [queue, depth, messages]));
    if (json && state !== shown) process.stdout.write(once ? jsonText(found) : `${JSON.stringify(found)}\n`);
    else if (session.terminal.interactive && !once)
      session.terminal.live(...queueTable(found, session.terminal.paint));
    else if (state !== shown) session.terminal.lines(...queueTable(found, session.terminal.paint));
    shown = state;
    if (once) return;
    await delay(WATCH_MS);
  }
}

function addJob(command: Command): Command {
  return addFailureFilter(command)
    .option("--all", "every open failure that you may see")
    .option("--limit <number>", "failures at most, the earliest first", whole(1, 10_000))
    .option("--dry-run", "only say what would be done")
    .option("--no-wait", "do not follow the job")
    .option("--rate <number>", "messages a second at most; 10 without it")
    .option("--concurrency <number>", "messages in work at a time at most", whole(1, 20));
}

export function dlqCommand(): Command {
  const dlq = new Command("dlq")
    .summary("see and replay what failed")
    .description(
      "See what failed for good, and replay or discard it. Scope read to see, operate and admin to act.",
    )
    .addHelpText("after", EXAMPLES);
  addPaging(addFailureFilter(dlq.command("list").description("failures, the latest first")))
    .addOption(
      new Option("--state <state>", "only these; else those that wait").choices(FailureState.options),
    )
    .action(list);
  addFailureFilter(dlq.command("groups").description("kinds of failure with counts")).action(groups);
  dlq.command("show <failure>").description("one failure, and what a replay would do").action(show);
  addJob(dlq.command("replay [failures...]").description("put failures back to work, by a job"))
    .option("--stop-on-failures <share>", "pause when this share failed again; 0.5 without it")
    .option("--ignore-failures", "do not pause however many fail again")
    .option("--ignore-circuits", "do not pause when a circuit is open")
    .option("--move", "let SQS move a whole queue: with --queue only")
    .option("--why <why>", "why, for the audit trail")
    .action(job("replay"));
  addJob(dlq.command("discard [failures...]").description("give failures up, by a job (scope admin)"))
    .requiredOption("--why <why>", "why, for the audit trail")
    .action(job("discard"));
  dlq
    .command("edit <failure>")
    .description("replay one failure with another payload")
    .requiredOption("--payload <file>", "JSON file with the agent's whole input; - for standard input")
    .requiredOption("--why <why>", "why, for the audit trail")
    .option("--dry-run", "only check it and show the difference")
    .action(edit);
  addFailureFilter(
    dlq.command("export").description("open failures with their messages, a line of JSON each"),
  ).action(exportAll);
  dlq
    .command("import <file>")
    .description("record exported failures again; - for standard input")
    .requiredOption("--why <why>", "why, for the audit trail")
    .action(importAll);
  dlq
    .command("watch")
    .description("how many failures wait in each queue, while it changes")
    .option("--once", "show it once")
    .action(watch);
  return dlq;
}
