import { connectBucket, connectQueues, connectTable } from "./connect.ts";
import type { Target } from "./worlds.ts";

/** A server that runs already, at CONTRACT_ENDPOINT. */
export function remote(name: "localstack" | "dynamodb-local"): Target {
  const endpoint = process.env.CONTRACT_ENDPOINT;
  if (!endpoint) throw new Error(`CONTRACT_ENDPOINT is not set: where does ${name} listen?`);
  return {
    name,
    open:
      name === "dynamodb-local"
        ? { dynamodb: () => connectTable(endpoint) }
        : { sqs: () => connectQueues(endpoint), s3: () => connectBucket(endpoint) },
  };
}
