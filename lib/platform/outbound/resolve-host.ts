import { lookup as dnsLookup } from "node:dns/promises";
import { isIP } from "node:net";
import { addressKind } from "#lib/platform/outbound/address-kind.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

export type Lookup = (host: string) => Promise<{ address: string }[]>;

const systemLookup: Lookup = (host) => dnsLookup(host, { all: true, verbatim: true });

export type ResolvedHost =
  /** At least one, and every one allowed. */
  | { kind: "addresses"; addresses: string[] }
  | { kind: "forbidden" }
  /** There is no such name. */
  | { kind: "unknown" }
  /** The name server gave no answer. */
  | { kind: "unanswered"; cause: unknown };

type Allowed = Pick<OutboundRules, "addresses">;

export function isAllowed(address: string, { addresses }: Allowed): boolean {
  if (addresses === "any") return true;
  const kind = addressKind(address);
  return kind === "public" || (kind === "loopback" && addresses === "loopback");
}

/**
 * The addresses of a host, if every one is allowed: a name with a private address among public ones is
 * refused. Whoever connects must connect to one of these and not resolve the name again, or the name
 * could answer differently the second time.
 */
export async function resolveHost(
  hostname: string,
  allowed: Allowed,
  lookup: Lookup = systemLookup,
): Promise<ResolvedHost> {
  const host = addressOf(hostname) ?? hostname;
  const found = isIP(host) === 0 ? await resolve(host, lookup) : [host];
  if (!Array.isArray(found)) return found;
  const fine = found.every((address) => isAllowed(address, allowed));
  return fine ? { kind: "addresses", addresses: found } : { kind: "forbidden" };
}

/** The address when a URL's host is one (without the brackets of IPv6); undefined for a name. */
export function addressOf(hostname: string): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 ? undefined : host;
}

async function resolve(host: string, lookup: Lookup): Promise<string[] | ResolvedHost> {
  try {
    const found = await lookup(host);
    return found.length > 0 ? found.map(({ address }) => address) : { kind: "unknown" };
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    return code === "ENOTFOUND" || code === "ENODATA" ? { kind: "unknown" } : { kind: "unanswered", cause };
  }
}
