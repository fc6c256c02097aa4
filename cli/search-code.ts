import { QueryAnswer } from "#schemas/http/query-answer.ts";
import type { Api } from "./api.ts";
import { CliError } from "./cli-error.ts";
import { exitCode } from "./exit-code.ts";

/** Search indexed code. @throws CliError `REPOSITORY_NOT_INDEXED` when nothing is indexed under the name */
export async function searchCode(
  api: Api,
  body: { query: string; limit: number; repository?: string },
): Promise<QueryAnswer> {
  const answer = await api.post(QueryAnswer, "/api/query", { body });
  if (answer.revision !== null) return answer;
  const name = answer.repository;
  throw new CliError(exitCode.usage, "REPOSITORY_NOT_INDEXED", `Nothing is indexed as ${name}.`, {
    hints: [`Index a directory under this name: agents index <dir> --repository ${name} --wait`],
  });
}
