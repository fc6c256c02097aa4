import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startSqsAndS3 } from "../../local/emulators/sqs-and-s3.ts";

/** An empty bucket: on the S3 emulator, or where INTEGRATION_S3_URL says. */
export async function realBucket() {
  const directory = mkdtempSync(join(tmpdir(), "bucket-"));
  const elsewhere = process.env.INTEGRATION_S3_URL;
  const emulator = elsewhere
    ? { url: elsewhere, close: async () => undefined }
    : await startSqsAndS3({ directory, port: 0 });
  const s3 = new S3Client({
    endpoint: emulator.url,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    forcePathStyle: true,
  });
  const bucket = elsewhere ? `artifacts-${randomUUID()}` : "artifacts";
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    s3,
    bucket,
    async close() {
      s3.destroy();
      await emulator.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
