import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, startDynamoDb } from "../../../local/emulators/dynamodb.ts";
import { PRESIGNED_SECRET } from "../../../local/emulators/presigned-urls.ts";
import { startSqsAndS3 } from "../../../local/emulators/sqs-and-s3.ts";
import { connectBucket, connectQueues, connectTable } from "./connect.ts";
import type { Target } from "./worlds.ts";

type Start = (options: { directory: string; port: number }) => Promise<Emulator>;

/** The emulators of `npm start`, a new one for each test file. */
export const embedded: Target = {
  name: "embedded",
  open: {
    dynamodb: () => started(startDynamoDb, connectTable),
    sqs: () => started(startSqsAndS3, connectQueues),
    s3: () => started(startSqsAndS3, (endpoint) => connectBucket(endpoint, PRESIGNED_SECRET)),
  },
};

async function started<World extends { close(): Promise<void> }>(
  start: Start,
  connect: (endpoint: string) => Promise<World>,
): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "contract-"));
  const emulator = await start({ directory, port: 0 });
  const world = await connect(emulator.url);
  return {
    ...world,
    async close() {
      await world.close();
      await emulator.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
