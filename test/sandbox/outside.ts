import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNpmRegistry } from "#test/fakes/npm-registry.ts";
import type { Outside } from "./sandbox-case.ts";

export interface OutsideWorld extends Outside {
  /** What came in from a sandbox, or was written outside one: nothing, ever. */
  breaches(): string[];
  close(): void;
}

/** What the cases' name server says; nothing answers on port 443 of 127.0.0.1. */
const ADDRESSES: Record<string, string> = {
  "registry.test": "127.0.0.1",
  "metadata.test": "169.254.169.254",
  "inner.test": "10.0.0.7",
  "unreachable.test": "127.0.0.1",
};

/** Secrets, services and directories of a machine that a sandbox must not reach. */
export async function openOutside(): Promise<OutsideWorld> {
  const directory = mkdtempSync(join(tmpdir(), "outside-"));
  const secret = `secret-${randomBytes(12).toString("hex")}`;
  const secret_file = join(directory, "secret.txt");
  writeFileSync(secret_file, secret);
  mkdirSync(join(directory, "writable"));
  writeFileSync(join(directory, "shown.txt"), "shown");
  process.env.AWS_SECRET_ACCESS_KEY = secret;
  process.env.SECRET_OF_THE_WORKER = secret;

  const came: string[] = [];
  const listen = async (name: string, where: number | string) => {
    const server = createServer((socket) => {
      came.push(`a connection to the ${name}`);
      socket.on("error", () => {}).end();
    });
    if (typeof where === "number") server.listen(where, "127.0.0.1");
    else server.listen(where);
    await once(server, "listening");
    return server;
  };
  const unix_socket = join(directory, "socket");
  const abstract_socket = `outside-${randomBytes(6).toString("hex")}`;
  const tcp = await listen("TCP service", 0);
  const servers = [
    tcp,
    await listen("unix socket", unix_socket),
    await listen("abstract socket", `\0${abstract_socket}`),
  ];
  const udp = createSocket("udp4", () => came.push("a datagram"));
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const registry = await startNpmRegistry("127.0.0.1");
  const before = readdirSync(directory).length;
  return {
    ...{ secret, secret_file, directory, unix_socket, abstract_socket, worker_pid: process.pid },
    tcp_port: (tcp.address() as { port: number }).port,
    registry,
    lookup: async (host) => [{ address: ADDRESSES[host] ?? "192.0.2.9" }],
    udp_port: udp.address().port,
    breaches: () => [...came, ...(readdirSync(directory).length === before ? [] : [`files in ${directory}`])],
    close() {
      for (const server of servers) server.close();
      udp.close();
      registry.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
