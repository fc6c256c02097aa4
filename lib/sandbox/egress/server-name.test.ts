import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { readFirstFlight } from "#lib/sandbox/egress/server-name.ts";

/** What Node.js itself says first. */
async function helloTo(servername: string | undefined): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const client = connect({ port, host: "127.0.0.1", ...(servername && { servername }) }).on(
    "error",
    () => {},
  );
  const [socket] = (await once(server, "connection")) as [Socket];
  const [chunk] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return chunk;
}

/** A ClientHello with these extensions and nothing else of interest. */
function hello(...extensions: Buffer[]): Buffer {
  const all = Buffer.concat(extensions);
  const body = Buffer.concat([
    ...[Buffer.from([3, 3]), Buffer.alloc(32), Buffer.from([0, 0, 2, 0x13, 1, 1, 0])],
    ...[Buffer.from([all.length >> 8, all.length & 255]), all],
  ]);
  const handshake = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255]), body]);
  return Buffer.concat([Buffer.from([22, 3, 1, handshake.length >> 8, handshake.length & 255]), handshake]);
}

function serverName(name: string): Buffer {
  const bytes = Buffer.from(name);
  const head = [0, 0, 0, bytes.length + 5, 0, bytes.length + 3, 0, 0, bytes.length];
  return Buffer.concat([Buffer.from(head), bytes]);
}

describe("the first bytes of a connection", () => {
  it("name the server a real client wants", async () => {
    const bytes = await helloTo("registry.test");
    expect(readFirstFlight(bytes)).toEqual({ kind: "client_hello", server_name: "registry.test" });
    expect(readFirstFlight(await helloTo(undefined))).toEqual({ kind: "client_hello", server_name: null });
  });

  it("say nothing until all of them are there", async () => {
    const bytes = await helloTo("registry.test");
    for (const length of [0, 1, 4, 5, 100, bytes.length - 1]) {
      expect(readFirstFlight(bytes.subarray(0, length))).toEqual({ kind: "incomplete" });
    }
  });

  it("are read without regard to case", () => {
    const upper = readFirstFlight(hello(serverName("Registry.TEST")));
    expect(upper).toEqual({ kind: "client_hello", server_name: "registry.test" });
  });

  it.each([
    ["another protocol", Buffer.from("SSH-2.0-x\r\n")],
    ["another handshake", Buffer.concat([Buffer.from([22, 3, 1, 0, 4]), Buffer.from([2, 0, 0, 0])])],
    ["two names", hello(serverName("registry.test"), serverName("example.com"))],
    ["a name that ends beyond its record", hello(Buffer.from([0, 0, 0, 9, 0, 7, 0, 0, 99, 97]))],
    ["a ClientHello in two records", Buffer.from([22, 3, 1, 0, 5, 1, 0, 1, 0, 3])],
  ])("are no TLS to us: %s", (_what, bytes) => {
    expect(readFirstFlight(bytes)).toEqual({ kind: "not_tls" });
  });
});
