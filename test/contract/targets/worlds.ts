import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { TargetName } from "../difference.ts";

interface Opened {
  close(): Promise<void>;
}

/** The table of serverless.yml, new and empty. */
export interface TableWorld extends Opened {
  /** As the code makes it: lib/platform/aws/clients.ts. */
  table: DynamoDBDocumentClient;
  /** For what the document client hides. */
  client: DynamoDBClient;
  table_name: string;
}

export interface Queue {
  url: string;
  arn: string;
}

export interface QueueWorld extends Opened {
  sqs: SQSClient;
  /** A new queue. */
  queue(attributes?: Record<string, string>): Promise<Queue>;
  /** Lets time go by on the queue's clock. */
  elapse(seconds: number): Promise<void>;
}

/** An empty bucket. */
export interface BucketWorld extends Opened {
  s3: S3Client;
  bucket: string;
}

export interface Worlds {
  dynamodb: TableWorld;
  sqs: QueueWorld;
  s3: BucketWorld;
}

export interface Target {
  name: TargetName;
  open: { [Service in keyof Worlds]?: () => Promise<Worlds[Service]> };
}
