import { lookup as dnsLookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { addressKind } from "#lib/platform/outbound/address-kind.ts";
import type { OutboundConfig, OutboundRules } from "#schemas/config/outbound.ts";

const DEPLOYED: OutboundRules = { schemes: ["https"], addresses: "public" };

/** The outbound rules of a stage. Only the stage `local` may have wider rules than the deployed ones. */
export function outboundRules({ local }: OutboundConfig, stage: string): OutboundRules {
  return stage === "local" ? local : DEPLOYED;
}

/**
 * A host resolves to an address that must not be connected to. A retry does not help. The message does not name the
 * address: that would reveal names of the internal network.
 */
export class AddressForbidden extends RejectedInput {
  constructor(host: string) {
    super(
      "ADDRESS_FORBIDDEN",
      `${host} leads to an address that is not public. Name a host that the internet can reach.`,
    );
  }
}

export type Lookup = (host: string) => Promise<{ address: string }[]>;

const systemLookup: Lookup = (host) => dnsLookup(host, { all: true, verbatim: true });

export type ResolvedHost =
  /** At least one address; all are allowed. */
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
 * Resolves a host. The result is `addresses` only if every address is allowed: a name with a private address among
 * public ones is refused. The caller must connect to one of these addresses and must not resolve the name again: the
 * second result could differ.
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

/** The address in a URL's host, without IPv6 brackets; undefined when the host is a name. */
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

/**
 * Makes the `lookup` option of a socket. The socket connects to the addresses that were checked, which prevents DNS
 * rebinding. Fails with `AddressForbidden`.
 */
export function pinnedLookup(rules: Pick<OutboundRules, "addresses">, lookup?: Lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolveHost(hostname, rules, lookup).then(
      (resolved) => {
        switch (resolved.kind) {
          case "addresses": {
            const found = resolved.addresses.map((address) => ({ address, family: isIP(address) }));
            const [first = { address: "", family: 4 }] = found;
            return options.all ? callback(null, found) : callback(null, first.address, first.family);
          }
          case "forbidden":
            return callback(new AddressForbidden(hostname), []);
          case "unknown":
            return callback(named("ENOTFOUND", `there is no host ${hostname}`), []);
          case "unanswered":
            return callback(named("EAI_AGAIN", `the name ${hostname} could not be resolved now`), []);
        }
      },
      (error: unknown) => callback(error as Error, []),
    );
  };
}

function named(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
