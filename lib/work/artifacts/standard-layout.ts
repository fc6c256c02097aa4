import { CopyObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { artifactKey } from "#lib/platform/blobs/object-keys.ts";
import { retentionTag } from "#lib/platform/table/retention.ts";
import { layoutArtifacts } from "#lib/work/artifacts/layout.ts";
import { taskFiles } from "#lib/work/artifacts/task-files.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";

const PARALLEL_MAX = 8;

/**
 * Puts an ended task's artifacts into the standard layout of the bucket: each blob copied to its
 * path, and the task's own files written. Safe to repeat, and repeated until the task is sealed.
 */
export async function writeStandardLayout(
  ledger: Ledger,
  { s3, bucket, service_version }: { s3: S3Client; bucket: string; service_version: string },
): Promise<void> {
  const { tenant, task_id, traceparent } = ledger.task;
  const Metadata = { traceparent };
  const copies = layoutArtifacts(ledger).map(
    (entry) => () =>
      s3.send(
        new CopyObjectCommand({
          Bucket: bucket,
          Key: artifactKey(tenant, task_id, entry.path),
          CopySource: encodeURI(`${bucket}/${entry.blob.key}`),
          ContentType: entry.content_type,
          Metadata,
          MetadataDirective: "REPLACE",
          Tagging: retentionTag("task"),
          TaggingDirective: "REPLACE",
        }),
      ),
  );
  const writes = taskFiles(ledger, service_version).map(
    ({ path, content, content_type }) =>
      () =>
        s3.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: artifactKey(tenant, task_id, path),
            Body: content,
            ContentType: content_type,
            Metadata,
            Tagging: retentionTag("task"),
          }),
        ),
  );
  const jobs: (() => Promise<unknown>)[] = [...copies, ...writes];
  while (jobs.length > 0) await Promise.all(jobs.splice(0, PARALLEL_MAX).map((job) => job()));
}
