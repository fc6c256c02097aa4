import { Command, CommanderError } from "commander";
import { jsonText } from "../cli/render/visible.ts";
import { createTerminal } from "../cli/terminal.ts";
import { list, purge, type Report, replay, show } from "./dlq/commands.ts";
import { DLQ_EXIT, DlqError } from "./dlq/dlq-error.ts";
import { move } from "./dlq/move.ts";
import { type DlqOptions, withFilters } from "./dlq/options.ts";

const GENERAL = `
Where the messages are: --data-dir, else TABLE_NAME, ARTIFACT_BUCKET, QUEUE_URL_* and DLQ_URL_* of the
environment (AWS, LocalStack), else the local stack of this repository. What a replay does: docs/replay.md.

Exit codes: 0 done, 1 some messages were kept, none was found, or the platform did not answer, 2 the command line is wrong.`;

function print({ lines, json, exit }: Report, options: DlqOptions): void {
  if (options.json) process.stdout.write(jsonText(json));
  else createTerminal(process.stdout, process.env).lines(...lines);
  process.exitCode = exit;
}

const program = new Command("npm run dlq --").description("See, replay and purge dead letters.");
program.exitOverride().addHelpText("after", GENERAL);

withFilters(program.command("list [ids...]"))
  .description("what is in the DLQs: kinds of failure with counts, then messages")
  .action(async (ids: string[], options: DlqOptions) => print(await list(ids, options), options));

withFilters(program.command("show <id>"))
  .description("one message with its failure record, causes and step, and what a replay would do")
  .action(async (id: string, options: DlqOptions) => print(await show(id, options), options));

withFilters(program.command("replay [ids...]"))
  .description("put messages back to work; safe to repeat and to interrupt")
  .option("--all", "every message")
  .option("--native", "whole queues, moved by SQS itself; for very many messages")
  .option("--force", "send messages that cannot be read as they are, too")
  .option("--dry-run", "only say what would be done")
  .action(async (ids: string[], options: DlqOptions) => {
    print(options.native ? await move(ids, options) : await replay(ids, options), options);
  });

withFilters(program.command("purge [ids...]"))
  .description("take messages out of their DLQ for good; their failure records stay for 30 days")
  .option("--all", "every message")
  .option("--dry-run", "only say what would be done")
  .option("--yes", "do it")
  .action(async (ids: string[], options: DlqOptions) => print(await purge(ids, options), options));

const errors = createTerminal(process.stderr, process.env);
/** What was typed is quoted in the error. */
const writeErr = (text: string) => errors.text(text);
for (const command of [program, ...program.commands]) {
  command.exitOverride().configureOutput({ writeErr }).showHelpAfterError();
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : DLQ_EXIT.usage;
  else if (error instanceof DlqError) {
    errors.lines(error.message);
    process.exitCode = error.exit;
  } else {
    errors.text(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = DLQ_EXIT.fault;
  }
}
