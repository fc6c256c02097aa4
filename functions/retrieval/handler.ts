import { Fault } from "#lib/errors/fault.ts";
import { defineApi, route } from "#lib/http/define-api.ts";
import { HttpError } from "#lib/http/http-error.ts";
import { QueryRequest } from "#schemas/messages/submission.ts";
import { answerQuery } from "./answer-query.ts";
import { dependencies } from "./dependencies.ts";

const RETRY_SECONDS = 5;

/** The log names the server and what to do about it; who asks need not know where it is. */
function answerTo({ code, message, disposition }: Fault): HttpError {
  if (disposition === "terminal" && code.startsWith("SNAPSHOT_")) return new HttpError(500, code, message);
  const sentence = "the code graph cannot be asked for now; the log of the service says why";
  return new HttpError(503, code, sentence, undefined, { "retry-after": `${RETRY_SECONDS}` });
}

export const handler = defineApi("retrieval", {
  "POST /api/query": route({
    access: "key",
    scope: "read",
    body: QueryRequest,
    run: async (request) => {
      const { body, tenant, log } = request;
      try {
        return { status: 200, body: await answerQuery(tenant, body, dependencies(request)) };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        log.error("QUERY_FAILED", error.message, { error_code: error.code, repository: body.repository });
        throw answerTo(error);
      }
    },
  }),
});
