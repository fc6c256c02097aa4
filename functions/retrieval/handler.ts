import { TerminalFault } from "#lib/errors/fault.ts";
import { defineApi } from "#lib/http/define-api.ts";
import { HttpError } from "#lib/http/http-error.ts";
import { route } from "#lib/http/route.ts";
import { QueryAnswer } from "#schemas/http/query-answer.ts";
import { QueryRequest } from "#schemas/messages/submission.ts";
import { answerQuery } from "./answer-query.ts";
import { dependencies } from "./dependencies.ts";

export const handler = defineApi("retrieval", {
  "POST /api/query": route({
    access: "key",
    scope: "read",
    summary: "Ask the code graph",
    body: QueryRequest,
    answers: { 200: { says: "Best first; none for a repository nobody indexed", schema: QueryAnswer } },
    codes: { 500: ["INDEX_UNREADABLE"] },
    run: async ({ body, tenant, log }) => {
      try {
        return { status: 200, body: await answerQuery(tenant, body, dependencies(log)) };
      } catch (error) {
        if (!(error instanceof TerminalFault)) throw error;
        log.error("QUERY_FAILED", error.message, { error_code: error.code, repository: body.repository });
        throw new HttpError(
          500,
          "INDEX_UNREADABLE",
          "the index of this repository cannot be read; index it again",
        );
      }
    },
  }),
});
