import type { DataDirectory } from "../data-directory.ts";
import { portOrAny } from "../ports.ts";
import { startDynamoDb } from "./dynamodb.ts";
import { startSqsAndS3 } from "./sqs-and-s3.ts";

export interface Emulators {
  sqs_and_s3_url: string;
  dynamodb_url: string;
  close(): Promise<void>;
}

/**
 * Starts both emulators, on the same ports each time where they are free: URLs that were handed out
 * stay good over a restart. LOCAL_SQS_S3_PORT and LOCAL_DYNAMODB_PORT fix them.
 */
export async function startEmulators(data: DataDirectory, http_port: number): Promise<Emulators> {
  const port = async (name: string, preferred: number) =>
    Number(process.env[name] ?? (await portOrAny(preferred)));
  const sqs_and_s3 = await startSqsAndS3({
    directory: data.sqs_and_s3,
    port: await port("LOCAL_SQS_S3_PORT", http_port + 2),
  });
  const dynamodb = await startDynamoDb({
    directory: data.dynamodb,
    port: await port("LOCAL_DYNAMODB_PORT", http_port + 3),
  });
  return {
    sqs_and_s3_url: sqs_and_s3.url,
    dynamodb_url: dynamodb.url,
    close: async () => void (await Promise.all([sqs_and_s3.close(), dynamodb.close()])),
  };
}
