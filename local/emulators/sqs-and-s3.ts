import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { throwIfFull } from "../data-directory.ts";
import type { Emulator } from "./dynamodb.ts";
import { type FauxqsInternals, loadFauxqsInternals, type Persistence } from "./fauxqs-internals.ts";
import { serveMoveTasks } from "./move-tasks.ts";
import { enforcePresignedUrls } from "./presigned-urls.ts";
import { refuseWebPages } from "./refuse-web-pages.ts";
import { closeS3Gaps } from "./s3-gaps.ts";
import { listInByteOrder } from "./s3-listing.ts";
import { closeSqsGaps, keepMessageGroups } from "./sqs-gaps.ts";
import { refuseAsSqs } from "./sqs-refusals.ts";

/**
 * SQS and S3 on loopback, kept in SQLite, with fauxqs' gaps closed (docs/decisions/0001). At the
 * start every message in flight becomes visible again: whoever had received it is dead.
 *
 * `port` 0 takes any free one.
 */
export async function startSqsAndS3(options: { directory: string; port: number }): Promise<Emulator> {
  const internals = await loadFauxqsInternals();
  const persistence = readable(options.directory, () => {
    mkdirSync(options.directory, { recursive: true });
    return openPersistence(internals, options.directory);
  });
  const queues = new internals.SqsStore();
  const topics = new internals.SnsStore();
  const objects = new internals.S3Store();
  queues.host = ""; // queue URLs then carry the address the client used

  const app = internals.buildApp({
    logger: false,
    stores: { sqsStore: queues, snsStore: topics, s3Store: objects } as never,
  });
  closeSqsGaps(queues, persistence);
  refuseAsSqs(app, queues);
  keepMessageGroups(app, queues);
  serveMoveTasks(app, queues, persistence, internals);
  enforcePresignedUrls(app);
  closeS3Gaps(app, objects, internals);
  listInByteOrder(objects);

  await app.ready();
  refuseWebPages(app.server);
  await app.listen({ port: options.port, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  readable(options.directory, () => {
    persistence.db.prepare("UPDATE sqs_queues SET url = ? || '/000000000000/' || name").run(url);
    // Only now, and unwired: writing through while loading would delete what is being loaded.
    persistence.load(queues, topics, objects);
  });
  queues.persistence = persistence;
  topics.persistence = persistence;
  objects.persistence = persistence;
  for (const queue of queues.allQueues()) queue.persistence = persistence;

  return {
    url,
    close: async () => {
      await app.close();
      persistence.close();
    },
  };
}

/** @throws Error that names the file of the queues and objects, when it cannot be read */
function readable<Result>(directory: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throwIfFull(directory, cause);
    throw new Error(
      `The queues and objects in ${join(directory, "fauxqs.db")} cannot be read (${(cause as Error).message}). Restore that directory from a copy, or delete it together with the table's to start afresh.`,
      { cause },
    );
  }
}

function openPersistence(internals: FauxqsInternals, directory: string): Persistence {
  const persistence = new internals.PersistenceManager(directory);
  // In WAL mode NORMAL loses nothing when a process dies, only when the machine loses power.
  persistence.db.exec("PRAGMA synchronous = NORMAL");
  persistence.db.exec("UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL");
  return persistence;
}
