import { HeadObjectCommand, S3ServiceException } from "@aws-sdk/client-s3";
import { packFiles } from "#lib/code/source/pack-source.ts";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { keepSmallInline } from "#lib/platform/blobs/inline-blob.ts";
import { uploadKey } from "#lib/platform/blobs/object-keys.ts";
import { RetryableFault } from "#lib/platform/errors/fault.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { keptUntilMs } from "#lib/platform/table/retention.ts";
import type { ChangeRef } from "#schemas/messages/codegen.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type {
  Submission,
  SubmittedChange,
  SubmittedDiff,
  SubmittedSource,
} from "#schemas/messages/submission.ts";
import type { TaskSpec } from "#schemas/records/task.ts";
import type { GatewayPorts } from "./ports.ts";

/**
 * Characters that a task carries of its submission. It is written about five times, with two indexes: these cost
 * fewer write units than the PUT and GET of an object cost money.
 */
const SPEC_INLINE_CHARACTERS_MAX = 384;

/**
 * Stores a submission's texts and tree in the bucket under their SHA-256 and returns the task with references to
 * them. A small one travels in its reference.
 */
export async function storeSubmission(
  submission: Submission,
  tenant: string,
  ports: GatewayPorts,
): Promise<TaskSpec> {
  const { source, change, deadline_seconds, repair_rounds, ...fields } = submission;
  const blobs = keepSmallInline(ports.blobsOf(tenant), tenant, SPEC_INLINE_CHARACTERS_MAX);
  const rounds = repairRounds(change, repair_rounds);
  return {
    ...fields,
    ...(rounds !== undefined && { repair_rounds: rounds }),
    source: await storeSource(source, deadline_seconds, tenant, blobs, ports),
    ...(change && { change: await storeChange(change, blobs, ports) }),
  };
}

/** A repair must try a different change: a patch has its fallback diffs, a codemod has none. */
function repairRounds(change: SubmittedChange | undefined, asked: number | undefined): number | undefined {
  if (change?.kind === "patch") return Math.min(asked ?? 9, change.fallback_diffs?.length ?? 0);
  return change?.kind === "codemod" ? 0 : asked;
}

async function storeSource(
  source: SubmittedSource,
  deadline_seconds: number,
  tenant: string,
  blobs: BlobStore,
  ports: GatewayPorts,
): Promise<SourceRef> {
  if (source.kind === "git") return source;
  if (source.kind === "upload") return uploadedSource(source.upload_id, deadline_seconds, tenant, ports);
  const archive = await packFiles(source.files, ports.sandboxLimits());
  return { kind: "archive", blob: await blobs.write(archive, "application/gzip") };
}

async function uploadedSource(
  upload_id: string,
  deadline_seconds: number,
  tenant: string,
  ports: GatewayPorts,
): Promise<SourceRef> {
  const key = uploadKey(tenant, upload_id);
  const found = await ports.s3
    .send(new HeadObjectCommand({ Bucket: ports.settings.artifact_bucket, Key: key }))
    .catch((error: unknown) => {
      if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 404) throw error;
      throw new HttpError(
        "UPLOAD_NOT_FOUND",
        "nothing was uploaded under this upload_id; POST /api/uploads first",
      );
    });
  const bytes = found.ContentLength ?? 0;
  const kept_until = keptUntilMs(found.LastModified?.getTime() ?? 0, ports.artifacts().value.uploads_days);
  if (kept_until < ports.runtime.now() + deadline_seconds * 1000) {
    throw new HttpError(
      "UPLOAD_EXPIRED",
      "the archive would be deleted before the task's deadline; POST /api/uploads and send it again",
    );
  }
  const { source_bytes_max } = ports.sandboxLimits();
  if (bytes === 0) throw new HttpError("ARCHIVE_EMPTY", "the uploaded archive has 0 bytes");
  if (bytes > source_bytes_max) {
    throw new HttpError(
      "ARCHIVE_TOO_LARGE",
      `the archive has ${bytes} bytes; ${source_bytes_max} is the limit`,
    );
  }
  return { kind: "archive", blob: { key, sha256: upload_id, bytes } };
}

async function storeChange(
  change: SubmittedChange,
  blobs: BlobStore,
  ports: GatewayPorts,
): Promise<ChangeRef> {
  switch (change.kind) {
    case "patch": {
      const { strip, directory } = change;
      const diffs = [change.diff, ...(change.fallback_diffs ?? [])].map(diffBytes);
      for (const diff of diffs) await checked(ports.code.parseDiff(diff, { strip, directory }));
      return {
        kind: "patch",
        diffs: await Promise.all(diffs.map((diff) => blobs.write(diff, "text/x-diff"))),
        ...(strip !== undefined && { strip }),
        ...(directory !== undefined && { directory }),
      };
    }
    case "codemod":
      await checked(ports.code.checkRules(change.rules));
      return { kind: "codemod", rules: await blobs.write(change.rules, "application/yaml") };
    case "prompt": {
      const text = await blobs.write(change.text, "text/plain");
      return change.agent === undefined
        ? { kind: "prompt", text }
        : { kind: "command", agent: change.agent, text };
    }
  }
}

function diffBytes(diff: SubmittedDiff): Buffer {
  return typeof diff === "string" ? Buffer.from(diff) : Buffer.from(diff.base64, "base64");
}

/** Answers 503 `CHECK_UNAVAILABLE` when the check could not run: the change may be valid, and the client may retry. */
async function checked(check: Promise<void>): Promise<void> {
  try {
    await check;
  } catch (error) {
    if (!(error instanceof RetryableFault)) throw error;
    throw new HttpError(
      "CHECK_UNAVAILABLE",
      "the change could not be checked now; submit it again in a few seconds",
      undefined,
      { "retry-after": "5" },
    );
  }
}
