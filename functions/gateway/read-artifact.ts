import { GetObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { layoutArtifacts } from "#lib/artifacts/layout.ts";
import { taskFiles } from "#lib/artifacts/task-files.ts";
import type { ApiResponse } from "#lib/http/define-api.ts";
import { HttpError } from "#lib/http/http-error.ts";
import type { GatewayPorts } from "./ports.ts";
import { findTask } from "./read-task.ts";

/** Lambda answers take 6 MB after base64; what is larger is fetched from S3 itself. */
const INLINE_BYTES_MAX = 4_000_000;
const LINK_SECONDS = 300;

/** The bytes of one artifact, checked against its SHA-256; a large one by a redirect to S3. */
export async function readArtifact(
  tenant: string,
  task_id: string,
  path: string,
  ports: GatewayPorts,
): Promise<ApiResponse> {
  const ledger = await findTask(tenant, task_id, ports);
  const entry = layoutArtifacts(ledger).find((candidate) => candidate.path === path);
  if (!entry) return readTaskFile();
  if (entry.blob.bytes > INLINE_BYTES_MAX) {
    const command = new GetObjectCommand({
      Bucket: ports.settings.artifact_bucket,
      Key: entry.blob.key,
      ResponseContentType: entry.content_type,
    });
    const location = await getSignedUrl(ports.s3, command, { expiresIn: LINK_SECONDS });
    return { status: 302, headers: { location } };
  }
  return bytes(await ports.blobsOf(tenant).read(entry.blob), entry.content_type, entry.blob.sha256);

  function readTaskFile(): ApiResponse {
    const files = ledger.task.sealed_at ? taskFiles(ledger, ports.settings.service_version) : [];
    const file = files.find((candidate) => candidate.path === path);
    if (!file)
      throw new HttpError(404, "ARTIFACT_NOT_FOUND", `task ${task_id} has no complete artifact ${path}`);
    return bytes(Buffer.from(file.content), file.content_type);
  }
}

/** Artifacts hold what strangers wrote: they are never run as part of this origin. */
function bytes(body: Buffer, content_type: string, etag?: string): ApiResponse {
  return {
    status: 200,
    body,
    headers: {
      "content-type": content_type,
      "content-security-policy": "sandbox; default-src 'none'",
      "cache-control": "private, max-age=60",
      ...(etag && { etag: `"${etag}"` }),
    },
  };
}
