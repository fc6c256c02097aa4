import { documentClient, s3Client } from "#lib/platform/aws/clients.ts";
import { settings } from "#lib/platform/settings/environment.ts";
import type { BackupPorts } from "./back-up.ts";

/** The table and bucket that this process's environment names. */
export function stageCopyPorts(tell: (sentence: string) => void): BackupPorts {
  const { table_name, artifact_bucket } = settings();
  return { table: documentClient(), table_name, s3: s3Client(), bucket: artifact_bucket, tell };
}
