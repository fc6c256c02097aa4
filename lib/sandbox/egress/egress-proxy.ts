import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import { readTarget, refuse } from "#lib/sandbox/egress/connect-request.ts";
import type { EgressRules } from "#lib/sandbox/egress/egress-rules.ts";
import { countTraffic, type Traffic } from "#lib/sandbox/egress/traffic.ts";
import { openTunnel, type Timeouts } from "#lib/sandbox/egress/tunnel.ts";

export interface EgressProxy {
  /** Serves a connection from the inside. */
  accept(client: Socket): void;
  readonly traffic: Traffic;
  /** Ends every connection. */
  close(): void;
}

export interface EgressOptions {
  rules: EgressRules;
  /** Called when a total is beyond bounds: the client should be stopped. */
  onExcess(traffic: Traffic): void;
  lookup?: Lookup | undefined;
  timeouts?: Timeouts;
}

const TIMEOUTS: Timeouts = { step_ms: 10_000, idle_ms: 120_000 };
const HEADERS_BYTES_MAX = 8192;
/** A client that is refused so often is no build that looks for something; it keeps the worker busy. */
const DENIALS_MAX = 1000;

/**
 * An HTTP proxy for untrusted clients that knows one method, CONNECT (RFC 9110 9.3.6), to hosts on a
 * list, for TLS to a server of the same name. It forwards no HTTP, so there is no request to smuggle.
 */
export function egressProxy({ rules, onExcess, lookup, timeouts = TIMEOUTS }: EgressOptions): EgressProxy {
  const traffic = countTraffic();
  const clients = new Set<Duplex>();
  const waiting = new Map<Duplex, NodeJS.Timeout>();
  const deny: Traffic["denied"] = (target, why, address) => {
    traffic.denied(target, why, address);
    if (traffic.denials() > DENIALS_MAX) onExcess(traffic);
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
      traffic,
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
    traffic,
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
