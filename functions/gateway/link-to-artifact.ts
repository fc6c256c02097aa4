import { GetObjectCommand, HeadObjectCommand, S3ServiceException } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import type { ManifestEntry } from "#schemas/records/step.ts";
import type { GatewayPorts } from "./ports.ts";

const LINK_SECONDS = 300;

/**
 * A presigned URL of an artifact's bytes, after comparing length and SHA-256 with what S3 keeps of
 * them. Throws TerminalFault `BLOB_MISSING`, `BLOB_CORRUPT`.
 */
export async function linkToArtifact(
  { blob }: ManifestEntry,
  headers: Record<string, string>,
  { s3, settings }: Pick<GatewayPorts, "s3" | "settings">,
): Promise<string> {
  const object = { Bucket: settings.artifact_bucket, Key: blob.key };
  const head = await s3
    .send(new HeadObjectCommand({ ...object, ChecksumMode: "ENABLED" }))
    .catch((cause: unknown) => {
      if (!(cause instanceof S3ServiceException) || cause.$metadata.httpStatusCode !== 404) throw cause;
      throw new TerminalFault("BLOB_MISSING", `${blob.key} is not in the artifact bucket`, { cause });
    });
  const checksum = Buffer.from(blob.sha256, "hex").toString("base64");
  if (head.ContentLength !== blob.bytes || (head.ChecksumSHA256 ?? checksum) !== checksum) {
    throw new TerminalFault("BLOB_CORRUPT", `${blob.key} holds other bytes than its reference says`);
  }
  const command = new GetObjectCommand({
    ...object,
    ResponseContentType: headers["content-type"],
    ResponseContentDisposition: headers["content-disposition"],
  });
  return getSignedUrl(s3, command, { expiresIn: LINK_SECONDS });
}
