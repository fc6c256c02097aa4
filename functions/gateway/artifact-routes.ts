import { type Route, route } from "#lib/http/define-api.ts";
import { UploadRequest } from "#schemas/messages/submission.ts";
import { createUpload } from "./create-upload.ts";
import { gatewayPorts } from "./dependencies.ts";
import { listArtifacts } from "./list-artifacts.ts";
import { ArtifactQuery } from "./queries.ts";
import { readArtifact } from "./read-artifact.ts";

/** Bytes in and bytes out. */
export const artifactRoutes: Record<string, Route> = {
  "POST /api/uploads": route({
    access: "key",
    scope: "submit",
    body: UploadRequest,
    run: async ({ tenant, body, platform }) => ({
      status: 201,
      body: await createUpload(body, tenant, gatewayPorts(platform)),
    }),
  }),
  "GET /api/artifacts/index": route({
    access: "key-or-local",
    scope: "read",
    query: ArtifactQuery,
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listArtifacts(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "GET /artifacts/{task}/{path+}": route({
    access: "key",
    scope: "read",
    run: ({ tenant, params, headers, platform }) =>
      readArtifact(
        {
          tenant,
          task_id: params.task ?? "",
          path: params.path ?? "",
          if_none_match: headers["if-none-match"],
        },
        gatewayPorts(platform),
      ),
  }),
};
