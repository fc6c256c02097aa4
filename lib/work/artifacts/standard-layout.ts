import { CopyObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { inlineBytes } from "#lib/platform/blobs/inline-blob.ts";
import { artifactKey } from "#lib/platform/blobs/object-keys.ts";
import { retentionTag } from "#lib/platform/table/retention.ts";
import { type LayoutFile, META_SUFFIX } from "#lib/work/artifacts/artifact-meta.ts";
import { layoutArtifacts } from "#lib/work/artifacts/layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";

const PARALLEL_MAX = 8;
const REPORT_META = `/report.json${META_SUFFIX}`;

/** The bucket that the layout stands in, and the version of who writes it. */
export interface LayoutPorts {
  s3: S3Client;
  bucket: string;
  service_version: string;
}

/**
 * Whether a file is put into the bucket. Of the meta files only a report's is: it says that its folder is
 * complete. What the others say is in `task.json`, and the API answers them from the ledger.
 */
export function isStored({ path, content }: LayoutFile): boolean {
  return content === undefined || !path.endsWith(META_SUFFIX) || path.endsWith(REPORT_META);
}

/** The files of a task that stand in the bucket. */
export function storedFiles(ledger: Ledger, service_version: string): LayoutFile[] {
  return [...layoutArtifacts(ledger), ...taskFiles(ledger, service_version)].filter(isStored);
}

/**
 * Puts an ended task's files into the standard layout of the bucket: small ones out of its ledger, each other one
 * copied from its blob. A report's meta file and `task.json` come last: where they stand, all other files do. Safe to repeat, and repeated until the task is sealed.
 */
export async function writeStandardLayout(ledger: Ledger, ports: LayoutPorts): Promise<void> {
  const files = storedFiles(ledger, ports.service_version);
  const is_last = ({ path }: LayoutFile) => path === "task.json" || path.endsWith(REPORT_META);
  for (const part of [files.filter((file) => !is_last(file)), files.filter(is_last)]) {
    const left = [...part];
    while (left.length > 0) {
      await Promise.all(left.splice(0, PARALLEL_MAX).map((file) => writeFile(file, ledger, ports)));
    }
  }
}

async function writeFile(
  { path, blob, content, content_type }: LayoutFile,
  { task: { tenant, task_id, traceparent } }: Ledger,
  { s3, bucket }: LayoutPorts,
): Promise<void> {
  const target = {
    Bucket: bucket,
    Key: artifactKey(tenant, task_id, path),
    ContentType: content_type,
    Metadata: { traceparent },
    Tagging: retentionTag("task"),
  };
  const Body = content === undefined ? inlineBytes(blob) : Buffer.from(content);
  if (Body) {
    const ChecksumSHA256 = Buffer.from(blob.sha256, "hex").toString("base64");
    await s3.send(new PutObjectCommand({ ...target, Body, ChecksumSHA256 }));
    return;
  }
  const CopySource = encodeURI(`${bucket}/${blob.key}`);
  await s3.send(
    new CopyObjectCommand({
      ...target,
      CopySource,
      MetadataDirective: "REPLACE",
      TaggingDirective: "REPLACE",
    }),
  );
}
