import { z } from "zod";
import { type Route, route } from "#lib/http/route.ts";
import { ArtifactIndex, UploadGrant } from "#schemas/http/task-view.ts";
import { UploadRequest } from "#schemas/messages/submission.ts";
import { TaskId } from "#schemas/primitives.ts";
import { createUpload } from "./create-upload.ts";
import { gatewayPorts } from "./dependencies.ts";
import { listArtifacts } from "./list-artifacts.ts";
import { ArtifactQuery } from "./queries.ts";
import { readArtifact } from "./read-artifact.ts";

/** Uploads of sources and downloads of artifacts. */
export const artifactRoutes: Record<string, Route> = {
  "POST /api/uploads": route({
    access: "key",
    scope: "submit",
    summary: "Get a URL to upload a source archive to",
    details: "The URL takes these bytes and no others: it is bound to their SHA-256, length and type.",
    body: UploadRequest,
    answers: { 201: { says: "Send the archive there within 15 minutes", schema: UploadGrant } },
    codes: { 413: ["ARCHIVE_TOO_LARGE"] },
    run: async ({ tenant, body, platform }) => ({
      status: 201,
      body: await createUpload(body, tenant, gatewayPorts(platform)),
    }),
  }),
  "GET /api/artifacts/index": route({
    access: "key-or-local",
    scope: "read",
    summary: "List complete sets of artifacts, newest first",
    query: ArtifactQuery,
    answers: { 200: { says: "One page", schema: ArtifactIndex } },
    codes: { 400: ["CURSOR_INVALID"], 404: ["TASK_NOT_FOUND"], 422: ["FIELD_REQUIRED"] },
    run: async ({ tenant, query, platform }) => ({
      status: 200,
      body: await listArtifacts(tenant, query, gatewayPorts(platform)),
    }),
  }),
  "GET /artifacts/{task}/{path+}": route({
    access: "key",
    scope: "read",
    summary: "Read an artifact's bytes",
    details: "`path` is the rest of the URL, slashes included, as `href` of an artifact has it.",
    params: {
      task: TaskId,
      path: z.string().min(1).max(1024).describe("for example build-test/report.json"),
    },
    headers: { "if-none-match": z.string().max(1000).describe("ETags of what the caller has") },
    answers: {
      200: {
        says: "The bytes, checked against their SHA-256",
        media_type: "*/*",
        headers: { etag: "SHA-256" },
      },
      302: { says: "A large artifact: fetch it there", headers: { location: "presigned URL" } },
      304: { says: "The caller has it", headers: { etag: "SHA-256" } },
    },
    codes: {
      404: ["TASK_NOT_FOUND", "ARTIFACT_NOT_FOUND"],
      410: ["ARTIFACT_GONE"],
      500: ["ARTIFACT_CORRUPT"],
    },
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
