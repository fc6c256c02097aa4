import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { tableClient } from "../../simulation/dynamodb/table-client.ts";
import { bucketClient } from "../../simulation/s3/bucket-client.ts";
import { quietWorld } from "./quiet-world.ts";
import { simulatedQueues } from "./simulated-queues.ts";
import type { Target } from "./worlds.ts";

/** The simulated AWS of test/simulation with no faults drawn: what a handler's clients meet there. */
export const simulation: Target = {
  name: "simulation",
  open: {
    async dynamodb() {
      const { world, invocation, played } = quietWorld();
      const refuses = (command: object) => {
        throw new TypeError(`the simulation has no plain client for ${command.constructor.name}`);
      };
      return {
        table: played(tableClient(world, invocation, () => undefined)),
        client: { send: async (command: object) => refuses(command) } as unknown as DynamoDBClient,
        table_name: "table",
        close: async () => undefined,
      };
    },
    async sqs() {
      return simulatedQueues(quietWorld());
    },
    async s3() {
      const { world, invocation, played } = quietWorld();
      return {
        s3: played(bucketClient(world, invocation)),
        bucket: "bucket",
        close: async () => undefined,
      };
    },
  },
};
