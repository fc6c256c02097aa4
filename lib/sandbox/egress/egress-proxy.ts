import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import { countEgressBytes, type Denial, type EgressBytes } from "#lib/sandbox/egress/egress-bytes.ts";
import { type EgressRules, resolveAllowed } from "#lib/sandbox/egress/egress-rules.ts";
import { type FirstFlight, readFirstFlight } from "#lib/sandbox/egress/server-name.ts";

export interface EgressProxy {
  /** Serves a connection from inside the sandbox. */
  accept(client: Socket): void;
  readonly egress_bytes: EgressBytes;
  /** Ends every connection. */
  close(): void;
}

interface EgressOptions {
  rules: EgressRules;
  /** Called when the client exceeds a total and should be stopped. */
  onExcess(egress_bytes: EgressBytes): void;
  lookup?: Lookup | undefined;
  timeouts?: Timeouts;
}

const TIMEOUTS: Timeouts = { step_ms: 10_000, idle_ms: 120_000 };
const HEADERS_BYTES_MAX = 8192;
/** No honest build is refused this often: more refusals only keep the worker busy. */
const DENIALS_MAX = 1000;

/**
 * An HTTP proxy for untrusted clients that knows one method, CONNECT (RFC 9110 9.3.6), to hosts on a
 * list, for TLS to a server of the same name. It forwards no HTTP, so there is no request to smuggle.
 */
export function egressProxy({ rules, onExcess, lookup, timeouts = TIMEOUTS }: EgressOptions): EgressProxy {
  const egress_bytes = countEgressBytes();
  const clients = new Set<Duplex>();
  const waiting = new Map<Duplex, NodeJS.Timeout>();
  const deny: EgressBytes["denied"] = (target, why, address) => {
    egress_bytes.denied(target, why, address);
    if (egress_bytes.denials() > DENIALS_MAX) onExcess(egress_bytes);
  };
  const asked = (client: Duplex) => {
    clearTimeout(waiting.get(client));
    waiting.delete(client);
  };

  const server = createServer({ maxHeaderSize: HEADERS_BYTES_MAX, insecureHTTPParser: false });
  server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    asked(client);
    const target = readTarget(request.url ?? "");
    if (!target) {
      deny({ host: request.url ?? "", port: null }, "malformed");
      return refuse(client, "400 Bad Request");
    }
    const tunnel = {
      client: client as Socket,
      head,
      target,
      rules,
      egress_bytes,
      deny,
      onExcess,
      lookup,
      timeouts,
    };
    openTunnel(tunnel).catch(() => client.destroy());
  });
  server.on("request", (request, response) => {
    deny({ host: request.url ?? "", port: null }, "method_not_allowed");
    response.writeHead(405, { allow: "CONNECT", connection: "close" }).end("only CONNECT, for TLS\n");
  });
  server.on("clientError", (_error, client) => {
    deny(null, "malformed");
    refuse(client, "400 Bad Request");
  });

  return {
    egress_bytes,
    accept(client) {
      client.on("error", () => {});
      if (clients.size >= rules.connections_max) {
        deny(null, "too_many_connections");
        client.destroy();
        return;
      }
      clients.add(client);
      const late = () => {
        deny(null, "too_slow");
        client.destroy();
      };
      waiting.set(client, setTimeout(late, timeouts.step_ms));
      client.once("close", () => {
        asked(client);
        clients.delete(client);
      });
      server.emit("connection", client);
    },
    close() {
      for (const client of clients) client.destroy();
      server.close();
    },
  };
}

/** The target of a CONNECT request. */
interface Target {
  host: string;
  port: number;
}

/** The target of a CONNECT request (RFC 9110 7.1, authority-form); null when it is none. */
function readTarget(authority: string): Target | null {
  const [, host = "", port = ""] = /^([a-z0-9.-]+|\[[0-9a-f:.]+\]):([0-9]{1,5})$/i.exec(authority) ?? [];
  if (host === "" || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host: host.toLowerCase().replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** Sends an error response and closes the connection. */
function refuse(client: Duplex, status: string): void {
  if (client.writable) client.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  client.on("finish", () => client.destroy());
}

interface Timeouts {
  /** For each of: a whole request, the first bytes of TLS, a connection to a host. */
  step_ms: number;
  /** Without a byte in either direction. */
  idle_ms: number;
}

interface TunnelOrder {
  client: Socket;
  /** Bytes that came after the request. */
  head: Buffer;
  target: Target;
  rules: EgressRules;
  egress_bytes: EgressBytes;
  deny: EgressBytes["denied"];
  /** Called when more than the allowed bytes have gone through. */
  onExcess(egress_bytes: EgressBytes): void;
  lookup: Lookup | undefined;
  timeouts: Timeouts;
}

/** Connects a client to an allowed host, after checking the host, its addresses and the server name in the first TLS message. */
async function openTunnel(order: TunnelOrder): Promise<void> {
  const { client, target, rules, egress_bytes, deny, timeouts } = order;
  const { host, port } = target;
  if (!rules.allows(host, port)) return refuseTarget(order, "not_listed");
  const resolved = await resolveAllowed(host, port, rules, order.lookup);
  if (resolved.kind === "forbidden") return refuseTarget(order, "address_not_allowed", resolved.address);
  if (resolved.kind === "unresolved") return unreachable(order, resolved.why);
  const upstream = await connectFirst(resolved.addresses, port, timeouts.step_ms);
  if (!(upstream instanceof Error) && client.destroyed) return void upstream.destroy();
  if (upstream instanceof Error) return unreachable(order, upstream.message);
  upstream.on("error", () => client.destroy());
  upstream.on("close", () => client.destroy());
  client.on("close", () => upstream.destroy());
  client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  const { bytes, says } = await firstFlight(client, order.head, timeouts.step_ms);
  const why = objection(says, host);
  if (why) {
    deny(target, why);
    client.destroy();
    return;
  }
  egress_bytes.connected(host, port);
  egress_bytes.sent(host, port, bytes.length);
  upstream.write(bytes);
  join(order, upstream);
}

function refuseTarget({ client, target, deny }: TunnelOrder, why: Denial, address?: string): void {
  deny(target, why, address);
  refuse(client, "403 Forbidden");
}

function unreachable({ client, target, egress_bytes }: TunnelOrder, why: string): void {
  egress_bytes.unreachable(target.host, target.port, why);
  refuse(client, "502 Bad Gateway");
}

/** Why the first bytes are refused: the TLS server name must be the requested host, and absent for an address (RFC 6066 3). */
function objection(says: FirstFlight, host: string): Denial | null {
  if (says.kind === "incomplete") return "too_slow";
  if (says.kind === "not_tls") return "not_tls";
  const expected = isIP(host) ? null : host;
  return says.server_name === expected ? null : "other_server_name";
}

/** A socket to the first address that answers, or the error of the last one. */
async function connectFirst(addresses: readonly string[], port: number, wait_ms: number) {
  let last = new Error("no address");
  for (const address of addresses) {
    const upstream = connect({ host: address, port });
    try {
      await once(upstream, "connect", { signal: AbortSignal.timeout(wait_ms) });
      return upstream;
    } catch (error) {
      upstream.on("error", () => {}).destroy();
      last = error as Error;
    }
  }
  return last;
}

/** Reads until the protocol is clear, the client closes the connection, or the time is over. */
function firstFlight(client: Socket, head: Buffer, wait_ms: number) {
  return new Promise<{ bytes: Buffer; says: FirstFlight }>((resolve) => {
    let bytes = head;
    const judge = (ended: boolean) => {
      const says = readFirstFlight(bytes);
      if (says.kind === "incomplete" && !ended) return;
      clearTimeout(timer);
      client.pause().off("data", more).off("close", gone);
      resolve({ bytes, says });
    };
    const more = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      judge(false);
    };
    const gone = () => judge(true);
    const timer = setTimeout(gone, wait_ms);
    client.on("data", more).on("close", gone);
    judge(client.destroyed);
  });
}

function join(
  { client, target, egress_bytes, rules, onExcess, timeouts }: TunnelOrder,
  upstream: Socket,
): void {
  const { host, port } = target;
  const check = () => {
    if (egress_bytes.bytes() > rules.bytes_max) onExcess(egress_bytes);
  };
  client.on("data", (chunk: Buffer) => {
    egress_bytes.sent(host, port, chunk.length);
    check();
  });
  upstream.on("data", (chunk: Buffer) => {
    egress_bytes.received(host, port, chunk.length);
    check();
  });
  client.setTimeout(timeouts.idle_ms, () => client.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
}
