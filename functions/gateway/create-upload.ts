import { PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { uploadKey } from "#lib/platform/blobs/object-keys.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { retentionTag } from "#lib/platform/table/retention.ts";
import type { UploadGrant } from "#schemas/http/task-view.ts";
import type { UploadRequest } from "#schemas/messages/submission.ts";
import type { GatewayPorts } from "./ports.ts";

const UPLOAD_SECONDS = 900;

/**
 * A presigned PUT bound to the tenant's prefix, to one content (SHA-256) and to its length. The
 * same content always has the same upload id, so sending it again is harmless.
 */
export async function createUpload(
  { sha256, bytes }: UploadRequest,
  tenant: string,
  ports: GatewayPorts,
): Promise<UploadGrant> {
  const { source_bytes_max } = ports.sandboxLimits();
  if (bytes > source_bytes_max) {
    throw new HttpError(
      "ARCHIVE_TOO_LARGE",
      `the archive has ${bytes} bytes; ${source_bytes_max} is the limit`,
    );
  }
  const checksum = Buffer.from(sha256, "hex").toString("base64");
  const tagging = retentionTag("upload");
  const command = new PutObjectCommand({
    Bucket: ports.settings.artifact_bucket,
    Key: uploadKey(tenant, sha256),
    ContentType: "application/gzip",
    ContentLength: bytes,
    ChecksumSHA256: checksum,
    Tagging: tagging,
  });
  const signed = new Set(["content-type", "content-length", "x-amz-checksum-sha256", "x-amz-tagging"]);
  const url = await getSignedUrl(ports.s3, command, {
    expiresIn: UPLOAD_SECONDS,
    signableHeaders: signed,
    unhoistableHeaders: signed,
  });
  return {
    upload_id: sha256,
    method: "PUT",
    url,
    headers: {
      "content-type": "application/gzip",
      "content-length": String(bytes),
      "x-amz-checksum-sha256": checksum,
      "x-amz-tagging": tagging,
    },
    expires_at: instant(ports.runtime.now() + UPLOAD_SECONDS * 1000),
  };
}

/** The origin that uploads are sent to, where a page must be allowed to connect. Asks AWS for nothing. */
export async function uploadOrigin({ s3, settings }: Pick<GatewayPorts, "s3" | "settings">): Promise<string> {
  const command = new PutObjectCommand({ Bucket: settings.artifact_bucket, Key: "any" });
  return new URL(await getSignedUrl(s3, command)).origin;
}
