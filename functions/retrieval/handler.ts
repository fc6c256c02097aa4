import { TerminalFault } from "#lib/errors/fault.ts";
import { defineApi, route } from "#lib/http/define-api.ts";
import { HttpError } from "#lib/http/http-error.ts";
import { QueryRequest } from "#schemas/messages/submission.ts";
import { answerQuery } from "./answer-query.ts";
import { dependencies } from "./dependencies.ts";

export const handler = defineApi("retrieval", {
  "POST /api/query": route({
    access: "key",
    scope: "read",
    body: QueryRequest,
    run: async ({ body, tenant, log }) => {
      try {
        return { status: 200, body: await answerQuery(tenant, body, dependencies(log)) };
      } catch (error) {
        if (!(error instanceof TerminalFault)) throw error;
        log.error("QUERY_FAILED", error.message, { error_code: error.code, repository: body.repository });
        throw new HttpError(500, error.code, error.message);
      }
    },
  }),
});
