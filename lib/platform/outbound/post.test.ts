import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { post } from "#lib/platform/outbound/post.ts";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

const LOOPBACK: OutboundRules = { schemes: ["http"], addresses: "loopback" };
const PUBLIC: OutboundRules = { schemes: ["http"], addresses: "public" };

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let connections = 0;
const seen: { url: string | undefined; host: string | undefined; body: string }[] = [];
const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  seen.push({ url: request.url, host: request.headers.host, body });
  answer(request, response);
});
server.on("connection", () => {
  connections += 1;
});
let port: number;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
beforeEach(() => {
  answer = (_, response) => void response.end("ok");
  connections = 0;
  seen.length = 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const send = (
  host: string,
  options: { rules?: OutboundRules; lookup?: Lookup; timeout_ms?: number; signal?: AbortSignal } = {},
) =>
  post(
    { url: new URL(`http://${host}:${port}/hook`), headers: { "content-type": "text/plain" }, body: "héllo" },
    {
      rules: LOOPBACK,
      timeout_ms: 30_000,
      response_bytes_max: 1000,
      signal: new AbortController().signal,
      ...options,
    },
  );
const answering =
  (...addresses: string[]): Lookup =>
  async () =>
    addresses.map((address) => ({ address }));

describe("a POST to where a submitter said", () => {
  it("arrives, and answers with status and headers", async () => {
    answer = (_, response) => void response.writeHead(503, { "retry-after": "7" }).end("busy");
    const { status, headers } = await send("127.0.0.1");
    expect([status, headers.get("retry-after")]).toEqual([503, "7"]);
    expect(seen).toEqual([{ url: "/hook", host: `127.0.0.1:${port}`, body: "héllo" }]);
  });

  it("connects to the address that was checked, under the name it was given", async () => {
    let asked = 0;
    const rebinding: Lookup = async () => {
      asked += 1;
      return [{ address: asked === 1 ? "127.0.0.1" : "169.254.169.254" }];
    };
    await send("receiver.example", { lookup: rebinding });
    expect([asked, seen[0]?.host]).toEqual([1, `receiver.example:${port}`]);
  });

  it.each([
    ["a name that leads to this machine", "receiver.example", answering("127.0.0.1")],
    ["a name with one such address among public ones", "receiver.example", answering("1.1.1.1", "127.0.0.1")],
    ["a name that leads there over IPv6", "receiver.example", answering("::ffff:127.0.0.1")],
    ["an address", "127.0.0.1", undefined],
    ["an address in other clothes", "2130706433", undefined],
    ["an IPv6 address", "[::1]", undefined],
    ["an IPv4-mapped one", "[::ffff:127.0.0.1]", undefined],
    ["the metadata service", "169.254.169.254", undefined],
  ])("does not connect to %s when only public ones are allowed", async (_what, host, lookup) => {
    const refused = send(host, { rules: PUBLIC, ...(lookup && { lookup }) });
    await expect(refused).rejects.toMatchObject({ code: "ADDRESS_FORBIDDEN", disposition: "reject" });
    expect(connections).toBe(0);
  });

  it("is refused for a name whose second answer is a private address", async () => {
    const answers = ["127.0.0.1", "10.0.0.1"];
    const lookup: Lookup = async () => [{ address: answers.shift() ?? "" }];
    expect((await send("receiver.example", { lookup })).status).toBe(200);
    await expect(send("receiver.example", { lookup })).rejects.toMatchObject({ code: "ADDRESS_FORBIDDEN" });
    expect(connections).toBe(1);
  });

  it("takes a redirect for an answer, and goes nowhere", async () => {
    answer = (_, response) =>
      void response.writeHead(307, { location: `http://127.0.0.1:${port}/inner` }).end();
    expect((await send("127.0.0.1")).status).toBe(307);
    expect(seen.map(({ url }) => url)).toEqual(["/hook"]);
  });

  it("gives up on a receiver that is silent, in time, and when it is told to", async () => {
    answer = () => {};
    await expect(send("127.0.0.1", { timeout_ms: 50 })).rejects.toMatchObject({ name: "TimeoutError" });
    const stop = new AbortController();
    const hanging = send("127.0.0.1", { signal: stop.signal });
    stop.abort(new Error("lease lost"));
    await expect(hanging).rejects.toThrow("lease lost");
  });

  it("reads no more of an answer than it may, and is not held up by one that never ends", async () => {
    const closed = Promise.withResolvers<void>();
    answer = (_, response) => {
      response.on("close", () => closed.resolve());
      const more = () => response.write("x".repeat(600)) && setImmediate(more);
      more();
    };
    expect((await send("127.0.0.1")).status).toBe(200);
    await closed.promise;
    answer = (_, response) => void response.writeHead(202).write("a little, and then silence");
    expect((await send("127.0.0.1", { timeout_ms: 300 })).status).toBe(202);
  });

  it("says which names cannot be found, and passes on what the socket says", async () => {
    const lookup: Lookup = async () => [];
    await expect(send("receiver.example", { lookup })).rejects.toMatchObject({ code: "ENOTFOUND" });
    answer = (request) => void request.socket.destroy();
    await expect(send("127.0.0.1")).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});
