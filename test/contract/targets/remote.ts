import { connectBucket, connectQueues, connectTable } from "./connect.ts";
import type { Target } from "./worlds.ts";

/** A server that runs already, at CONTRACT_ENDPOINT. */
export function remote(name: "localstack" | "moto" | "dynamodb-local"): Target {
  const endpoint = process.env.CONTRACT_ENDPOINT;
  if (!endpoint) throw new Error(`CONTRACT_ENDPOINT is not set: where does ${name} listen?`);
  return {
    name,
    open:
      name === "localstack"
        ? { sqs: () => connectQueues(endpoint), s3: () => connectBucket(endpoint) }
        : { dynamodb: () => connectTable(endpoint) },
  };
}
