import { Command } from "commander";
import { whole } from "../parse-option.ts";
import { queryResults } from "../render/query-results.ts";
import { searchCode } from "../search-code.ts";
import { openSession } from "../session.ts";

interface QueryOptions {
  repository?: string;
  limit: number;
}

const EXAMPLES = `
Examples:
  $ agents query where are prices rounded --repository shop
  $ agents query roundPrice --limit 3
  $ agents query "retry with back-off" --json | jq -r '.results[].path'`;

async function query(words: string[], options: QueryOptions, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const { repository, limit } = options;
  const body = { query: words.join(" "), limit, ...(repository !== undefined && { repository }) };
  const answer = await searchCode(session.api, body);
  session.answer(answer, () => queryResults(answer, session.terminal.paint, { excerpt_lines_max: 6 }));
}

export function queryCommand(): Command {
  return new Command("query")
    .summary("search indexed code by words, names or meaning")
    .description("Search indexed code by words, a symbol's name, or a question.")
    .argument("<words...>", "what to look for")
    .option("--repository <name>", "name the code was indexed under")
    .option("--limit <number>", "how many results", whole(1, 50), 5)
    .addHelpText("after", EXAMPLES)
    .action(query);
}
