import { defineApi, route } from "#lib/http/define-api.ts";
import { QueryRequest } from "#schemas/messages/submission.ts";
import { answerQuery } from "./answer-query.ts";
import { dependencies } from "./dependencies.ts";

export const handler = defineApi("retrieval", {
  "POST /api/query": route({
    access: "key",
    body: QueryRequest,
    run: async ({ body, tenant, log }) => ({
      status: 200,
      body: await answerQuery(tenant, body, dependencies(log)),
    }),
  }),
});
