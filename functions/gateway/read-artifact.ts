import { GetObjectCommand, HeadObjectCommand, S3ServiceException } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { ApiResponse } from "#lib/http/route.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { LayoutFile } from "#lib/work/artifacts/artifact-meta.ts";
import { findArtifact } from "#lib/work/artifacts/layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { ManifestEntry } from "#schemas/records/step.ts";
import type { GatewayPorts } from "./ports.ts";
import { findTask } from "./read-task.ts";

/** A Lambda response holds 6 MB after base64; larger artifacts are fetched from S3. */
const INLINE_BYTES_MAX = 4_000_000;

interface Wanted {
  tenant: string;
  task_id: string;
  /** From the URL, escaped or not. */
  path: string;
  /** The request's header, if any. */
  if_none_match: string | undefined;
}

/**
 * The bytes of one artifact, checked against its SHA-256; a large one by a redirect to S3, after
 * checking what S3 says of it; 304 for what the caller has. The path is only ever compared with the
 * manifest's, so none leads out of it. Throws HttpError 404 `ARTIFACT_NOT_FOUND`, 410
 * `ARTIFACT_GONE`, 500 `ARTIFACT_CORRUPT`.
 */
export async function readArtifact(wanted: Wanted, ports: GatewayPorts): Promise<ApiResponse> {
  const { tenant, task_id, if_none_match } = wanted;
  const path = decodePath(wanted.path);
  const ledger = await findTask(tenant, task_id, ports);
  const own = () => (ledger.task.sealed_at ? taskFiles(ledger, ports.settings.service_version) : []);
  const entry = findArtifact(ledger, path) ?? own().find((file) => file.path === path);
  if (!entry) throw notFound(task_id, path);
  const headers = artifactHeaders(path, entry.content_type, entry.blob.sha256);
  if (isUnchanged(headers, if_none_match)) return { status: 304, body: Buffer.alloc(0), headers };
  return sound(entry, () => answer(entry, headers, tenant, ports));
}

async function answer(
  entry: LayoutFile,
  headers: Record<string, string>,
  tenant: string,
  ports: GatewayPorts,
): Promise<ApiResponse> {
  if (entry.content !== undefined) return { status: 200, body: Buffer.from(entry.content), headers };
  if (entry.blob.bytes <= INLINE_BYTES_MAX) {
    return { status: 200, body: await ports.blobsOf(tenant).read(entry.blob), headers };
  }
  const location = await linkToArtifact(entry, headers, ports);
  return { status: 302, headers: { location, "cache-control": "no-store" } };
}

/** Translates the blob store's faults for missing and damaged bytes into the API's errors. */
async function sound({ path, blob }: ManifestEntry, read: () => Promise<ApiResponse>): Promise<ApiResponse> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TerminalFault)) throw error;
    if (error.code === "BLOB_MISSING") {
      throw new HttpError(
        410,
        "ARTIFACT_GONE",
        `the bytes of ${path} were deleted after their retention time`,
      );
    }
    if (error.code !== "BLOB_CORRUPT") throw error;
    throw new HttpError(
      500,
      "ARTIFACT_CORRUPT",
      `the stored bytes of ${path} are not those of its SHA-256 ${blob.sha256}; run the task again`,
    );
  }
}

/**
 * Decodes the path, because not every proxy does. Decoding twice is harmless: no artifact path contains `%`. A path
 * that cannot be decoded matches no artifact.
 */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}

function notFound(task_id: string, path: string): HttpError {
  return new HttpError(404, "ARTIFACT_NOT_FOUND", `task ${task_id} has no complete artifact ${path}`);
}

/** Types that a browser shows; it saves all others. */
const SHOWN = new Set([
  "application/json",
  "application/jsonl",
  "text/plain",
  "text/markdown",
  "text/x-diff",
]);

/**
 * Response headers of an artifact. Artifacts contain untrusted content, so a browser must not run it in this origin.
 * A later round may replace the bytes at a path, so caches must revalidate, which costs a 304.
 */
function artifactHeaders(path: string, content_type: string, sha256: string): Record<string, string> {
  const media_type = content_type.split(";")[0]?.trim().toLowerCase() ?? "";
  const name = (path.split("/").at(-1) ?? "").replace(/[^A-Za-z0-9._-]/g, "_");
  return {
    "content-type": content_type,
    "content-disposition": `${SHOWN.has(media_type) ? "inline" : "attachment"}; filename="${name}"`,
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "private, no-cache",
    etag: `"${sha256}"`,
  };
}

/** `If-None-Match` by weak comparison, as for GET: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 */
function isUnchanged({ etag }: Record<string, string>, if_none_match: string | undefined): boolean {
  const tags = (if_none_match ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.some((tag) => tag === "*" || (tag !== "" && tag === etag));
}

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
