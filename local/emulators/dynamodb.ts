import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { Server, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import dynalite from "dynalite";
import { throwIfFull } from "../data-directory.ts";
import { stackLog } from "../stack-log.ts";
import { findDamagedLog } from "./check-table-logs.ts";
import { refuseWebPages } from "./refuse-web-pages.ts";

export interface Emulator {
  url: string;
  close(): Promise<void>;
}

const PROBE_MS = 1_000;
/** LevelDB writes a file of 4 MB at a time, and reads its log into one when it opens. */
const PROBE_BYTES = 8 * 1024 * 1024;
/** Of abstract-level, and what LevelDB says of the files below it. */
const STORE_FAILED = /LEVEL_|Database (?:is closed|failed to open)|IO error|Corruption|No space left/;

/**
 * DynamoDB on loopback, kept in a LevelDB that survives `kill -9`. `port` 0 takes any free one. When its files
 * can no longer be written, on a full disk, every request is answered with an error until they can.
 *
 * @throws Error that names the directory, when its files cannot be opened
 */
export async function startDynamoDb(options: { directory: string; port: number }): Promise<Emulator> {
  const { directory } = options;
  await checkFiles(directory);
  const server = dynalite({ path: directory, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // dynalite throws out of its own listener when a client hangs up, which would end the process.
  server.on("request", (request) => {
    request.removeAllListeners("error");
    request.on("error", () => {});
  });
  const ended = answerWhileBroken(server, directory);
  refuseWebPages(server);
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      ended();
      return closed(server);
    },
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Level {
  open(): Promise<void>;
  close(): Promise<void>;
}

/** dynalite opens its files with the first request, and throws where nobody can catch it. */
async function checkFiles(directory: string): Promise<void> {
  const { Level } = createRequire(createRequire(import.meta.url).resolve("dynalite"))("level") as {
    Level: new (path: string) => Level;
  };
  let level: Level;
  try {
    mkdirSync(directory, { recursive: true });
    const damaged = findDamagedLog(directory);
    if (damaged !== undefined) throw new Error(`${damaged} has a record of other bytes than its checksum`);
    level = new Level(directory);
    await level.open();
  } catch (error) {
    const { cause, message } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    throwIfFull(directory, error);
    throw new Error(
      `The table's files in ${directory} cannot be opened (${reason}). Restore that directory from a copy, or delete it to start without the tasks it holds.`,
      { cause: error },
    );
  }
  await level.close();
}

/**
 * dynalite throws what LevelDB could not do, and never answers the request. From the first such error on, all
 * requests are answered 500, those under way too; the files are opened again once something can be written beside
 * them. LevelDB keeps what it had acknowledged: it is in its log before the error. Answers how to end this.
 */
function answerWhileBroken(server: Server, directory: string): () => void {
  const pending = new Set<ServerResponse>();
  const log = stackLog();
  let broken: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  const fail = (response: ServerResponse) => {
    if (response.headersSent) return void response.destroy();
    const body = JSON.stringify({
      __type: "com.amazonaws.dynamodb.v20120810#InternalServerError",
      message: `The table's files in ${directory} cannot be used: ${broken}`,
    });
    const headers = {
      "content-type": "application/x-amz-json-1.0",
      "content-length": Buffer.byteLength(body),
    };
    response.writeHead(500, headers).end(body);
  };
  const recover = async () => {
    try {
      const probe = join(directory, "..", "space.probe");
      try {
        writeFileSync(probe, Buffer.alloc(PROBE_BYTES));
      } finally {
        rmSync(probe, { force: true });
      }
      const { port } = server.address() as AddressInfo;
      await closed(server);
      await checkFiles(directory);
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      broken = undefined;
      log.info("TABLE_RECOVERED", "The table's files can be used again.", { directory });
    } catch (error) {
      broken = (error as Error).message;
      if (!server.listening) log.error("TABLE_BROKEN", broken, { directory });
      timer = setTimeout(recover, PROBE_MS);
    }
  };
  const onError = (error: unknown) => {
    if (!STORE_FAILED.test(`${(error as { code?: string }).code} ${error}`)) return;
    const before = broken;
    broken = error instanceof Error ? error.message : String(error);
    for (const response of pending) fail(response);
    if (before !== undefined) return;
    log.error("TABLE_BROKEN", "The table's files cannot be used; every request fails until they can.", {
      directory,
      error: broken,
    });
    timer = setTimeout(recover, PROBE_MS);
  };
  process.on("uncaughtException", onError);

  const answering = server.listeners("request") as ((request: unknown, response: ServerResponse) => void)[];
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    pending.add(response);
    response.once("close", () => pending.delete(response));
    if (broken === undefined) for (const listener of answering) listener.call(server, request, response);
    else {
      request.resume();
      fail(response);
    }
  });
  return () => {
    clearTimeout(timer);
    process.off("uncaughtException", onError);
  };
}
