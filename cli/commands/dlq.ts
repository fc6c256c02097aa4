import { Command, Option } from "commander";
import { FailureDetail, FailureGroups, FailureList, FailureState } from "#schemas/http/dead-letters.ts";
import { ReplayPreview, ReplayView } from "#schemas/http/replays.ts";
import { addPaging, askAndShow, commandAgain, queryOf } from "../ask-and-show.ts";
import { UsageError } from "../cli-error.ts";
import { addFailureFilter, type FilterOptions, filterOf } from "../failure-filter.ts";
import { followReplay, replayExit } from "../follow-replay.ts";
import { whole } from "../parse-option.ts";
import { failureLines, failureTable, groupTable } from "../render/failure-table.ts";
import { previewLines, replayLines } from "../render/replay-table.ts";
import { openSession } from "../session.ts";
import { editOne, readObject } from "./dlq/edit-one.ts";
import { exportAll } from "./dlq/export-all.ts";
import { importAll } from "./dlq/import-all.ts";
import { watchFailures } from "./dlq/watch-failures.ts";

const EXAMPLES = `
Examples:
  $ agents dlq groups                                      kinds of failure, with counts
  $ agents dlq list --queue buildtest --since 1d
  $ agents dlq show acme.3f0c…                             causes, tries, what a replay would do
  $ agents dlq replay --fingerprint 8d1f --dry-run
  $ agents dlq replay --fingerprint 8d1f --rate 5
  $ agents dlq edit acme.3f0c… --payload fixed.json --why "a field was misspelt" --dry-run
  $ agents dlq edit --fingerprint 8d1f --patch '{"tests":null}' --why "a field was misspelt"
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
  patch?: string;
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

type Action = "replay" | "edit" | "discard";

function requestOf(action: Action, failures: string[], options: ReplayOptions): object {
  const { patch, why, rate, concurrency, stopOnFailures, ignoreFailures, ignoreCircuits, move } = options;
  const share = ignoreFailures ? null : numberOf("--stop-on-failures", stopOnFailures);
  return {
    action,
    selection: selectionOf(failures, options),
    ...(patch !== undefined && { patch: readObject(patch) }),
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
  (action: Action) =>
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

interface EditOptions extends ReplayOptions {
  payload?: string;
  why: string;
}

/** Edits one failure with a whole payload, or by a job as many as are selected with a patch. */
async function edit(failures: string[], options: EditOptions, command: Command): Promise<void> {
  const { payload, patch, why, dryRun = false } = options;
  if ((payload === undefined) === (patch === undefined)) {
    const hint = "--payload replaces the whole payload of one failure; --patch changes fields of many.";
    throw new UsageError("Give either --payload or --patch.", hint);
  }
  if (payload === undefined) return job("edit")(failures, options, command);
  const [failure] = failures;
  const is_one = failures.length === 1 && !options.all && Object.keys(filterOf(options)).length === 0;
  if (!is_one || failure === undefined) throw new UsageError("--payload is for one failure: give its name.");
  await editOne(failure, { payload, why, dry_run: dryRun }, command);
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

function addStops(command: Command): Command {
  return command
    .option("--stop-on-failures <share>", "pause when this share failed again; 0.5 without it")
    .option("--ignore-failures", "do not pause however many fail again")
    .option("--ignore-circuits", "do not pause when a circuit is open");
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
  addStops(addJob(dlq.command("replay [failures...]").description("put failures back to work, by a job")))
    .option("--move", "let SQS move a whole queue: with --queue only")
    .option("--why <why>", "why, for the audit trail")
    .action(job("replay"));
  addStops(addJob(dlq.command("edit [failures...]").description("replay failures with a changed payload")))
    .option("--payload <json>", "whole payload of one failure: JSON, its file, or - for standard input")
    .option(
      "--patch <json>",
      "fields to change in each (JSON merge patch, null takes a field away), or its file",
    )
    .requiredOption("--why <why>", "why, for the audit trail")
    .action(edit);
  addJob(dlq.command("discard [failures...]").description("give failures up, by a job (scope admin)"))
    .requiredOption("--why <why>", "why, for the audit trail")
    .action(job("discard"));
  addFailureFilter(
    dlq.command("export").description("open failures with their messages, a line of JSON each"),
  ).action(exportAll);
  dlq
    .command("import <file>")
    .description("record exported failures again; - for standard input")
    .requiredOption("--why <why>", "why, for the audit trail")
    .action(importAll);
  addFailureFilter(
    dlq
      .command("watch")
      .description("how many failures wait in each queue while it changes; with filters, of each kind"),
  )
    .option("--once", "show it once")
    .action(watchFailures);
  return dlq;
}
