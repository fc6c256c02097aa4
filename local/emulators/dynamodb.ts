import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";
import { refuseWebPages } from "./refuse-web-pages.ts";

export interface Emulator {
  url: string;
  close(): Promise<void>;
}

/** DynamoDB on loopback, kept in a LevelDB that survives `kill -9`. `port` 0 takes any free one. */
export async function startDynamoDb(options: { directory: string; port: number }): Promise<Emulator> {
  mkdirSync(options.directory, { recursive: true });
  const server = dynalite({ path: options.directory, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // dynalite throws out of its own listener when a client hangs up, which would end the process.
  server.on("request", (request) => {
    request.removeAllListeners("error");
    request.on("error", () => {});
  });
  refuseWebPages(server);
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
