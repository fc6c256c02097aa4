import type { Platform } from "#lib/agents/agent/platform.ts";

/** What replaying needs of its surroundings; a `Platform` with the table's name has it all. */
export interface ReplayPorts
  extends Pick<
    Platform,
    "artifacts" | "runtime" | "table" | "sqs" | "blobsOf" | "queueUrl" | "deadLetterQueueUrl" | "retryPolicy"
  > {
  table_name: string;
}
