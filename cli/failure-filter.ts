import type { Command } from "commander";
import type { FailureFilter } from "#schemas/http/dead-letters.ts";
import { momentOption } from "./parse-option.ts";

/** The options of a filter as commander gives them. */
export interface FilterOptions extends Partial<Record<keyof FailureFilter, string>> {}

const NAMES = [
  "queue",
  "agent",
  "tenant",
  "code",
  "fingerprint",
  "trace",
  "task",
  "since",
  "until",
  "text",
] as const satisfies (keyof FailureFilter)[];

/** Gives a command the options that select failures: the fields of the API's filter. */
export function addFailureFilter(command: Command): Command {
  return command
    .option("--queue <queue>", "only in this dead-letter queue, for example buildtest")
    .option("--agent <agent>", "only messages for this agent")
    .option("--tenant <tenant>", "only of this tenant")
    .option("--code <code>", "only with this error code")
    .option("--fingerprint <fingerprint>", "only of this kind, or of kinds that begin so")
    .option("--trace <trace_id>", "only of this trace")
    .option("--task <task_id>", "only of this task")
    .option("--since <when>", "failed last from then on: 1d, a date or an RFC 3339 instant", momentOption)
    .option("--until <when>", "failed last before then", momentOption)
    .option("--text <words>", "only with these words in the error or the message");
}

/** The filter of the options that were given. */
export function filterOf(options: FilterOptions): FilterOptions {
  const given = NAMES.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return Object.fromEntries(given);
}
