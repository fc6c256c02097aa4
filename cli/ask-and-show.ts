import type { Command } from "commander";
import type { Api } from "./api.ts";
import { spanOption, whole } from "./parse-option.ts";
import type { Paint } from "./render/paint.ts";
import { openSession } from "./session.ts";

interface Asked<Given extends unknown[], Answer> {
  /** The request. */
  ask(api: Api, ...given: Given): Promise<Answer>;
  /** The answer for a person. */
  lines(answer: NoInfer<Answer>, paint: Paint, given: NoInfer<Given>): string[];
  /** What Ctrl-C says of a request that may have changed something by then. */
  interrupted?: string;
}

/** The action of a command that makes one request and shows its answer. */
export function askAndShow<Given extends unknown[], Answer>({
  ask,
  lines,
  interrupted,
}: Asked<Given, Answer>): (...given: [...Given, ...unknown[]]) => Promise<void> {
  return async (...given) => {
    const session = openSession(given.at(-1) as Command);
    session.interruptHints = interrupted === undefined ? [] : [interrupted];
    const answer = await ask(session.api, ...(given as unknown as Given));
    session.answer(answer, () => lines(answer, session.terminal.paint, given as unknown as Given));
  };
}

type Values = Record<string, string | number | undefined>;

/** `?name=value&…` of those that are given; empty when none is. */
export function queryOf(values: Values): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  return given.length === 0 ? "" : `?${query}`;
}

/** A command with the options given to it, but for where a list goes on. */
export function commandAgain(command: string, { cursor: _cursor, ...lasting }: Values): string {
  const given = Object.entries(lasting).filter(([, value]) => value !== undefined);
  return [command, ...given.map(([name, value]) => `--${name} ${value}`)].join(" ");
}

/** The options of a command that lists something page by page. */
export function addPaging(command: Command): Command {
  return command
    .option("--limit <number>", "how many", whole(1, 100), 20)
    .option("--cursor <cursor>", "go on where another list ended");
}

const HOUR_MS = 3_600_000;

/** The option `--grace` of a rotation, given to its action in hours as `grace`. */
export function addGrace(command: Command, description: string): Command {
  const hours = (text: string) => Math.ceil(spanOption(text) / HOUR_MS);
  return command.option("--grace <span>", description, hours);
}
