import { defineApi } from "#lib/http/api/define-api.ts";
import { route } from "#lib/http/route.ts";
import { Fault } from "#lib/platform/errors/fault.ts";
import { QueryAnswer } from "#schemas/http/query-answer.ts";
import { QueryRequest } from "#schemas/messages/submission.ts";
import { answerQuery, queryFailure } from "./answer-query.ts";
import { dependencies } from "./dependencies.ts";

export const handler = defineApi("retrieval", {
  "POST /api/query": route({
    access: "key",
    scope: "read",
    summary: "Ask the code graph",
    body: QueryRequest,
    answers: { 200: { says: "Best first; none for a repository nobody indexed", schema: QueryAnswer } },
    codes: { 500: ["INDEX_UNREADABLE"], 503: ["GRAPH_UNAVAILABLE"] },
    run: async (request) => {
      const { body, tenant, log } = request;
      try {
        return { status: 200, body: await answerQuery(tenant, body, dependencies(request)) };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        log.error("QUERY_FAILED", error.message, { error_code: error.code, repository: body.repository });
        throw queryFailure(error);
      }
    },
  }),
});
