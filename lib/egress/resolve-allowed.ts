import { lookup as dnsLookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { EgressRules } from "#lib/egress/egress-rules.ts";

export type Lookup = (host: string) => Promise<{ address: string }[]>;

export type Resolved =
  | { kind: "addresses"; addresses: string[] }
  | { kind: "forbidden"; address: string }
  | { kind: "unresolved"; cause: unknown };

const ADDRESSES_MAX = 8;

const systemLookup: Lookup = (host) => dnsLookup(host, { all: true, verbatim: true });

/**
 * The addresses of a host on the list, if every one is permitted. Whoever connects must connect to
 * one of these and not resolve the name again, or the name could answer differently (DNS rebinding).
 */
export async function resolveAllowed(
  host: string,
  port: number,
  rules: EgressRules,
  lookup: Lookup = systemLookup,
): Promise<Resolved> {
  try {
    const found = isIP(host) ? [host] : (await lookup(host)).map(({ address }) => address);
    const forbidden = found.find((address) => !rules.permits(host, port, address));
    if (forbidden !== undefined) return { kind: "forbidden", address: forbidden };
    if (found.length > 0) return { kind: "addresses", addresses: found.slice(0, ADDRESSES_MAX) };
    return { kind: "unresolved", cause: new Error("no address") };
  } catch (cause) {
    return { kind: "unresolved", cause };
  }
}
