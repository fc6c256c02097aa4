import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import { egressProxy } from "#lib/sandbox/egress/egress-proxy.ts";
import { egressRules } from "#lib/sandbox/egress/egress-rules.ts";
import type { AllowedNetwork } from "#schemas/config/sandbox-limits.ts";
import { type NpmRegistry, startNpmRegistry } from "#test/fakes/npm-registry.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function world(
  lookup: Lookup = async () => [{ address: "127.0.0.1" }],
  { step_ms = 20_000, idle_ms = 20_000 } = {},
) {
  const registry: NpmRegistry = await startNpmRegistry("127.0.0.1");
  const own = `registry.test:${registry.port}`;
  const network: AllowedNetwork = {
    ...{ mode: "allow", hosts: [], npm_registry: false, bytes_max: 1e6, connections_max: 5 },
    private_hosts: { [own]: ["127.0.0.1/32"] },
  };
  const rules = egressRules(network, null);
  const onExcess = vi.fn();
  const proxy = egressProxy({ rules, onExcess, lookup, timeouts: { step_ms, idle_ms } });
  const server = createServer((socket) => proxy.accept(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    proxy.close();
    server.close();
    registry.close();
  });
  const { port } = server.address() as AddressInfo;
  return { own, proxy, onExcess, dial: () => connect(port, "127.0.0.1").on("error", () => {}) };
}

/** Resolves when the connection is closed; a reset closes it too, where `once` would reject. */
function closed(client: Socket): Promise<void> {
  return new Promise((resolve) => client.resume().once("close", () => resolve()));
}

async function ask(client: Socket, target: string): Promise<string> {
  client.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  const hung_up = once(client, "close").then(() => ["hung up"]);
  const [answer] = await Promise.race([once(client, "data"), hung_up]);
  return String(answer).split("\r\n")[0] ?? "";
}

describe("the filtering proxy", () => {
  it("connects to a listed host and counts what goes through", async () => {
    const { own, proxy, dial } = await world();
    const client = dial();
    expect(await ask(client, own)).toBe("HTTP/1.1 200 Connection Established");
    const secure = connectTls({ socket: client, servername: "registry.test", rejectUnauthorized: false });
    secure.write("GET /bytes/5000 HTTP/1.1\r\nHost: registry.test\r\nConnection: close\r\n\r\n");
    await once(secure.resume(), "end");
    const { hosts, denied } = proxy.egress_bytes.use();
    expect(denied).toEqual([]);
    expect(hosts).toMatchObject([{ host: "registry.test", connections: 1 }]);
    expect(hosts[0]?.bytes_received).toBeGreaterThan(5000);
    expect(hosts[0]?.bytes_sent).toBeGreaterThan(200);
  });

  it("asks for a name once, and connects to the address it checked", async () => {
    const answers = ["127.0.0.1", "169.254.169.254"];
    const lookup = vi.fn(async () => [{ address: answers.shift() ?? "10.0.0.1" }]);
    const { own, proxy, dial } = await world(lookup);
    const client = dial();
    expect(await ask(client, own)).toContain("200");
    connectTls({ socket: client, servername: "registry.test", rejectUnauthorized: false }).on(
      "error",
      () => {},
    );
    await vi.waitFor(() => expect(proxy.egress_bytes.use().hosts[0]?.connections).toBe(1));
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(await ask(dial(), own)).toContain("403");
    expect(proxy.egress_bytes.use().denied).toMatchObject([
      { host: "registry.test", why: "address_not_allowed" },
    ]);
  });

  it("refuses a name with a private address among those it permits", async () => {
    const { own, dial } = await world(async () => [{ address: "127.0.0.1" }, { address: "10.0.0.1" }]);
    expect(await ask(dial(), own)).toContain("403");
  });

  it("says so when a listed host gives no connection, and denies nothing", async () => {
    const { own, proxy, dial } = await world(async () => {
      throw new Error("ENOTFOUND");
    });
    expect(await ask(dial(), own)).toContain("502");
    expect(proxy.egress_bytes.use()).toMatchObject({ denied: [], unreachable: [{ host: "registry.test" }] });
  });

  it("hangs up on a client that will not say what it wants", async () => {
    const { proxy, dial } = await world(undefined, { step_ms: 200 });
    const client = dial();
    client.write("CONNECT registry.test:443 HTTP/1.1\r\nX: ");
    const dripping = setInterval(() => client.write("y"), 20); // a byte at a time keeps no connection
    await closed(client);
    clearInterval(dripping);
    expect(proxy.egress_bytes.use().denied).toEqual([
      { host: null, port: null, why: "too_slow", address: null, attempts: 1 },
    ]);
  });

  it("hangs up on a client that speaks no TLS in time", async () => {
    const { own, proxy, dial } = await world(undefined, { step_ms: 200 });
    const client = dial();
    expect(await ask(client, own)).toContain("200");
    await closed(client);
    expect(proxy.egress_bytes.use().denied).toMatchObject([{ host: "registry.test", why: "too_slow" }]);
  });

  it("ends a connection on which nothing moves", async () => {
    const { own, proxy, dial } = await world(undefined, { idle_ms: 200 });
    const client = dial();
    await ask(client, own);
    const secure = connectTls({ socket: client, servername: "registry.test", rejectUnauthorized: false });
    await once(
      secure.on("error", () => {}),
      "close",
    );
    expect(proxy.egress_bytes.use().denied).toEqual([]);
  });

  it("serves no more at once than allowed, and again when there is room", async () => {
    const { own, proxy, dial } = await world();
    const clients = Array.from({ length: 5 }, dial);
    await Promise.all(clients.map((client) => ask(client, own)));
    await closed(dial());
    expect(proxy.egress_bytes.use().denied).toMatchObject([{ host: null, why: "too_many_connections" }]);
    clients[0]?.destroy();
    await vi.waitFor(async () => expect(await ask(dial(), own)).toContain("200"), { timeout: 10_000 });
  });

  it("calls for an end when a client is refused again and again", async () => {
    const { onExcess, dial } = await world();
    for (let refused = 0; refused <= 1000; refused++) {
      const client = dial();
      client.write("x\r\n\r\n");
      await closed(client);
      if (refused === 999) expect(onExcess).not.toHaveBeenCalled();
    }
    expect(onExcess).toHaveBeenCalled();
  });

  it.each([
    ["example.com:443", "403"],
    ["registry.test:443", "403"],
    ["registry.test", "400"],
    ["registry.test:0", "400"],
    ["registry.test:99999", "400"],
    ["user@registry.test:443", "400"],
    ["http://registry.test/", "400"],
    ["[::ffff:127.0.0.1]:443", "403"],
    ["0x7f.1:443", "403"],
    ["2130706433:443", "403"],
  ])("refuses to connect to %s", async (target, status) => {
    const { dial } = await world();
    expect(await ask(dial(), target)).toContain(status);
  });
});
