import type { ApiResponse } from "#lib/http/route.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { LayoutFile } from "#lib/work/artifacts/artifact-meta.ts";
import { findArtifact } from "#lib/work/artifacts/layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { ManifestEntry } from "#schemas/records/step.ts";
import { fileName, linkHeaders, linkToArtifact, mediaType } from "./artifact-links.ts";
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
  const location = await linkToArtifact(entry, linkHeaders(entry.path, entry.content_type), ports);
  return { status: 302, headers: { location, "cache-control": "no-store" } };
}

/** Translates the blob store's faults for missing and damaged bytes into the API's errors. */
async function sound({ path, blob }: ManifestEntry, read: () => Promise<ApiResponse>): Promise<ApiResponse> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TerminalFault)) throw error;
    if (error.code === "BLOB_MISSING") {
      throw new HttpError("ARTIFACT_GONE", `the bytes of ${path} were deleted after their retention time`);
    }
    if (error.code !== "BLOB_CORRUPT") throw error;
    throw new HttpError(
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
  return new HttpError("ARTIFACT_NOT_FOUND", `task ${task_id} has no complete artifact ${path}`);
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
  const disposition = SHOWN.has(mediaType(content_type)) ? "inline" : "attachment";
  return {
    "content-type": content_type,
    "content-disposition": `${disposition}; filename="${fileName(path)}"`,
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
