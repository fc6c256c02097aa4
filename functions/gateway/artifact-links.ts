import { GetObjectCommand, HeadObjectCommand, S3ServiceException } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { authorize } from "#lib/http/auth/identity.ts";
import type { ApiRequest } from "#lib/http/route.ts";
import { artifactKey, isKeyOf } from "#lib/platform/blobs/object-keys.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import { layoutArtifacts } from "#lib/work/artifacts/layout.ts";
import { isStored } from "#lib/work/artifacts/standard-layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { ManifestEntry } from "#schemas/records/step.ts";
import type { GatewayPorts } from "./ports.ts";

/** How long a presigned link opens its artifact, in seconds. */
const LINK_SECONDS = 300;

type LinkPorts = Pick<GatewayPorts, "s3" | "settings">;

/** Media types of text that nobody runs: S3 serves all of them as plain text, which every browser shows. */
const SHOWN_AS_TEXT = new Set(["application/jsonl", "text/markdown", "text/plain", "text/x-diff"]);

/**
 * Headers that S3 is to answer a link with. The object's host sends no `Content-Security-Policy` and no
 * `X-Content-Type-Options`, so the type alone must keep a browser from running what was submitted: plain text in
 * a stated charset and JSON are shown, everything else is saved. A type with a charset in lower case is never
 * sniffed: https://mimesniff.spec.whatwg.org/#interpreting-the-resource-metadata
 */
export function linkHeaders(path: string, content_type: string): Record<string, string> {
  const media_type = mediaType(content_type);
  if (media_type === "application/json") return headersOf(path, "application/json", "inline");
  if (SHOWN_AS_TEXT.has(media_type)) return headersOf(path, "text/plain; charset=utf-8", "inline");
  return headersOf(path, "application/octet-stream", "attachment");
}

function headersOf(path: string, content_type: string, disposition: "inline" | "attachment") {
  return {
    "content-type": content_type,
    "content-disposition": `${disposition}; filename="${fileName(path)}"`,
  };
}

/** The media type without its parameters, in lower case. */
export function mediaType(content_type: string): string {
  return content_type.split(";")[0]?.trim().toLowerCase() ?? "";
}

/** The last segment of a path, as a `filename` parameter may hold it. */
export function fileName(path: string): string {
  return (path.split("/").at(-1) ?? "").replace(/[^A-Za-z0-9._-]/g, "_");
}

/** A URL that opens the object for `LINK_SECONDS` without a key. Signing makes no request. */
function presign(key: string, headers: Record<string, string>, { s3, settings }: LinkPorts): Promise<string> {
  const command = new GetObjectCommand({
    Bucket: settings.artifact_bucket,
    Key: key,
    ResponseContentType: headers["content-type"],
    ResponseContentDisposition: headers["content-disposition"],
  });
  return getSignedUrl(s3, command, { expiresIn: LINK_SECONDS });
}

/**
 * A presigned URL of an artifact's bytes, after comparing length and SHA-256 with what S3 keeps of
 * them. Throws TerminalFault `BLOB_MISSING`, `BLOB_CORRUPT`.
 */
export async function linkToArtifact(
  { blob }: ManifestEntry,
  headers: Record<string, string>,
  ports: LinkPorts,
): Promise<string> {
  const object = { Bucket: ports.settings.artifact_bucket, Key: blob.key };
  const head = await ports.s3
    .send(new HeadObjectCommand({ ...object, ChecksumMode: "ENABLED" }))
    .catch((cause: unknown) => {
      if (!(cause instanceof S3ServiceException) || cause.$metadata.httpStatusCode !== 404) throw cause;
      throw new TerminalFault("BLOB_MISSING", `${blob.key} is not in the artifact bucket`, { cause });
    });
  const checksum = Buffer.from(blob.sha256, "hex").toString("base64");
  if (head.ContentLength !== blob.bytes || (head.ChecksumSHA256 ?? checksum) !== checksum) {
    throw new TerminalFault("BLOB_CORRUPT", `${blob.key} holds other bytes than its reference says`);
  }
  return presign(blob.key, headers, ports);
}

/** Files of the layout that are made when the task has ended, beside their meta files. */
export const TASK_FILE_PATHS = ["task.json", "events.jsonl"];

/**
 * The view with a presigned `url` of each artifact that is in the bucket, and the reason for each that is not. It asks
 * AWS for nothing, so it does not check that the bytes are still there or whole: whoever opens a link compares them
 * with the view's `sha256`. Throws TerminalFault `BLOB_FOREIGN` when the ledger names another tenant's object.
 */
export async function withLinks(
  view: TaskView,
  ledger: Ledger,
  ports: LinkPorts & Pick<GatewayPorts, "runtime">,
): Promise<TaskView> {
  const placeOf = objectPlaces(ledger, ports.settings.service_version);
  const missing: NonNullable<TaskView["links"]>["missing"] = [];
  const artifacts: TaskView["artifacts"] = [];
  for (const artifact of view.artifacts) {
    const place = placeOf(artifact.path);
    if ("reason" in place) missing.push({ path: artifact.path, reason: place.reason });
    const headers = linkHeaders(artifact.path, artifact.content_type);
    artifacts.push(
      "key" in place ? { ...artifact, url: await presign(place.key, headers, ports) } : artifact,
    );
  }
  const listed = new Set(view.artifacts.map(({ path }) => path));
  for (const path of TASK_FILE_PATHS) if (!listed.has(path)) missing.push({ path, reason: notYet(path) });
  const expires_at = instant(ports.runtime.now() + LINK_SECONDS * 1000);
  return { ...view, artifacts, links: { expires_seconds: LINK_SECONDS, expires_at, missing } };
}

/**
 * Where each file is in the bucket. Until the task is sealed the small files of a step are in its ledger only; of the
 * meta files most are never anywhere else.
 */
function objectPlaces(
  ledger: Ledger,
  service_version: string,
): (path: string) => { key: string } | { reason: string } {
  const { tenant, task_id, sealed_at } = ledger.task;
  const own = sealed_at ? taskFiles(ledger, service_version) : [];
  const files = new Map([...layoutArtifacts(ledger), ...own].map((file) => [file.path, file]));
  return (path) => {
    const file = files.get(path);
    if (file && !isStored(file)) {
      return { reason: `there is no link to ${path}: the API makes it, and answers it to a key` };
    }
    const is_blob = file && file.content === undefined && file.blob.inline === undefined;
    if (!is_blob && !sealed_at) return { reason: notYet(path) };
    const key = is_blob ? file.blob.key : artifactKey(tenant, task_id, path);
    if (isKeyOf(tenant, key)) return { key };
    throw new TerminalFault("BLOB_FOREIGN", `${key} does not belong to tenant ${tenant}`);
  };
}

function notYet(path: string): string {
  return `there is no link to ${path} yet: it is written to the bucket when the task has ended`;
}

const ARTIFACT_ROUTE = "GET /artifacts/{task}/{path+}";

/**
 * Throws HttpError 403 `ROUTE_CLOSED` or `SCOPE_MISSING` when the caller may not read artifacts: links must not
 * open what the policy of that route closes.
 */
export function mayReadArtifacts({
  tenant,
  identity,
  platform,
}: Pick<ApiRequest<unknown, unknown>, "tenant" | "identity" | "platform">): void {
  const policy = platform.requestGate?.policyOf({ tenant, route: ARTIFACT_ROUTE });
  if (!policy?.enabled || !identity) {
    throw new HttpError("ROUTE_CLOSED", `no policy opens ${ARTIFACT_ROUTE}, so there are no links`);
  }
  authorize(identity, policy.scope ?? "read");
}
