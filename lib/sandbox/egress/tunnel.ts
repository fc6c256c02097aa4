import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import { refuse, type Target } from "#lib/sandbox/egress/connect-request.ts";
import type { EgressRules } from "#lib/sandbox/egress/egress-rules.ts";
import { resolveAllowed } from "#lib/sandbox/egress/resolve-allowed.ts";
import { type FirstFlight, readFirstFlight } from "#lib/sandbox/egress/server-name.ts";
import type { Denial, Traffic } from "#lib/sandbox/egress/traffic.ts";

export interface Timeouts {
  /** For each of: a whole request, the first bytes of TLS, a connection to a host. */
  step_ms: number;
  /** Without a byte in either direction. */
  idle_ms: number;
}

interface TunnelOrder {
  client: Socket;
  /** What came after the request. */
  head: Buffer;
  target: Target;
  rules: EgressRules;
  traffic: Traffic;
  deny: Traffic["denied"];
  /** Called when more than the allowed bytes have gone through. */
  onExcess(traffic: Traffic): void;
  lookup: Lookup | undefined;
  timeouts: Timeouts;
}

/** Connects a client to a host on the list, after checking all it says of where it wants to go. */
export async function openTunnel(order: TunnelOrder): Promise<void> {
  const { client, target, rules, traffic, deny, timeouts } = order;
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
  traffic.connected(host, port);
  traffic.sent(host, port, bytes.length);
  upstream.write(bytes);
  join(order, upstream);
}

function refuseTarget({ client, target, deny }: TunnelOrder, why: Denial, address?: string): void {
  deny(target, why, address);
  refuse(client, "403 Forbidden");
}

function unreachable({ client, target, traffic }: TunnelOrder, why: string): void {
  traffic.unreachable(target.host, target.port, why);
  refuse(client, "502 Bad Gateway");
}

/** The client must want TLS with the very server it named; an address is no name to give (RFC 6066 3). */
function objection(says: FirstFlight, host: string): Denial | null {
  if (says.kind === "incomplete") return "too_slow";
  if (says.kind === "not_tls") return "not_tls";
  const expected = isIP(host) ? null : host;
  return says.server_name === expected ? null : "other_server_name";
}

/** A socket to the first address that answers, or why the last did not. */
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

/** Reads until it is clear what the client speaks, it hangs up, or its time is over. */
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

function join({ client, target, traffic, rules, onExcess, timeouts }: TunnelOrder, upstream: Socket): void {
  const { host, port } = target;
  const check = () => {
    if (traffic.bytes() > rules.bytes_max) onExcess(traffic);
  };
  client.on("data", (chunk: Buffer) => {
    traffic.sent(host, port, chunk.length);
    check();
  });
  upstream.on("data", (chunk: Buffer) => {
    traffic.received(host, port, chunk.length);
    check();
  });
  client.setTimeout(timeouts.idle_ms, () => client.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
}
