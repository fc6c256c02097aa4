import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import {
  AddressForbidden,
  addressOf,
  isAllowed,
  type Lookup,
  pinnedLookup,
} from "#lib/platform/outbound/resolve-host.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

interface Post {
  url: URL;
  headers: Record<string, string>;
  body: string;
}

interface PostOptions {
  rules: OutboundRules;
  /** Limit for the whole exchange, from connecting to the last byte read of the response. */
  timeout_ms: number;
  /** Bytes of the response body that are read and discarded; after that the connection is closed. */
  response_bytes_max: number;
  signal: AbortSignal;
  lookup?: Lookup | undefined;
}

export interface PostAnswer {
  status: number;
  headers: Headers;
}

/**
 * Sends one POST to a URL given by a submitter. It opens a new connection to a checked address, without a proxy and
 * without credentials. Redirects are not followed. The status is returned even when the body breaks off.
 *
 * @throws AddressForbidden; TimeoutError; the signal's reason; what the socket or TLS failed with
 */
export async function post({ url, headers, body }: Post, options: PostOptions): Promise<PostAnswer> {
  const literal = addressOf(url.hostname);
  // A socket calls `lookup` for names only, not for addresses.
  if (literal !== undefined && !isAllowed(literal, options.rules)) throw new AddressForbidden(literal);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeout_ms)]);
  const https = url.protocol === "https:";
  const agent = https ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false });
  const lookup = pinnedLookup(options.rules, options.lookup);
  const given = { method: "POST", agent, lookup, signal, headers: withLength(headers, body) };
  const sent = https ? httpsRequest(url, given) : httpRequest(url, given);
  sent.on("socket", (socket) => recheck(socket, sent, url.hostname, options.rules));
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once("response", resolve);
      sent.once("error", reject);
      sent.end(body);
    });
    await drain(answer, options.response_bytes_max);
    return { status: answer.statusCode ?? 0, headers: headersOf(answer) };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    sent.destroy();
    agent.destroy();
  }
}

/** Checks the address that the socket is connected to, however it was resolved. */
function recheck(socket: Socket, sent: ClientRequest, host: string, rules: OutboundRules): void {
  socket.once("connect", () => {
    const { remoteAddress: address = "unknown" } = socket;
    if (!isAllowed(address, rules)) sent.destroy(new AddressForbidden(host));
  });
}

async function drain(answer: IncomingMessage, bytes_max: number): Promise<void> {
  let bytes = 0;
  try {
    for await (const part of answer) {
      bytes += (part as Buffer).length;
      if (bytes > bytes_max) return;
    }
  } catch {
    // The status is known; a body that breaks off or is too slow does not matter.
  }
}

function withLength(headers: Record<string, string>, body: string): Record<string, string> {
  return { ...headers, "content-length": String(Buffer.byteLength(body)) };
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  return headers;
}
