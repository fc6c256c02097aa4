import { BlockList, isIP } from "node:net";
import { addressKind } from "#lib/platform/outbound/address-kind.ts";
import { type Lookup, resolveHost } from "#lib/platform/outbound/resolve-host.ts";
import type { AllowedNetwork } from "#schemas/config/sandbox-limits.ts";

const TLS_PORT = 443;

/** The hosts a sandbox may connect to, and limits on bytes and connections. */
export interface EgressRules {
  /** Whether a host and port, as the client wrote them, are on the list. */
  allows(host: string, port: number): boolean;
  /** Whether a host on the list may have that address: a public one, or one its entry names. */
  permits(host: string, port: number, address: string): boolean;
  bytes_max: number;
  connections_max: number;
}

/** The rules of a profile, with the npm registry if it is given. */
export function egressRules(network: AllowedNetwork, npm_registry: URL | null): EgressRules {
  const own = new Map(
    Object.entries(network.private_hosts).map(([entry, ranges]) => [withPort(entry), blockList(ranges)]),
  );
  const listed = new Set([
    ...network.hosts.map(withPort),
    ...own.keys(),
    ...(npm_registry === null ? [] : [`${npm_registry.hostname}:${npm_registry.port || TLS_PORT}`]),
  ]);
  return {
    allows: (host, port) => listed.has(`${host}:${port}`),
    permits(host, port, address) {
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (metadata.check(address, family)) return false;
      return (
        addressKind(address) === "public" || (own.get(`${host}:${port}`)?.check(address, family) ?? false)
      );
    },
    bytes_max: network.bytes_max,
    connections_max: network.connections_max,
  };
}

function withPort(entry: string): string {
  return entry.includes(":") ? entry : `${entry}:${TLS_PORT}`;
}

/** Addresses of cloud metadata services, which give out credentials. No entry of a profile allows them. */
const metadata = blockList(["169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32"]);

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", bits] = range.split("/");
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

type Resolved =
  | { kind: "addresses"; addresses: string[] }
  | { kind: "forbidden"; address: string }
  | { kind: "unresolved"; why: string };

const ADDRESSES_MAX = 8;

/**
 * The addresses of a host on the list, if every one is permitted. Whoever connects must connect to
 * one of these and not resolve the name again, or the name could answer differently (DNS rebinding).
 */
export async function resolveAllowed(
  host: string,
  port: number,
  rules: EgressRules,
  lookup?: Lookup,
): Promise<Resolved> {
  const resolved = await resolveHost(host, { addresses: "any" }, lookup);
  if (resolved.kind === "unknown") return { kind: "unresolved", why: "there is no such name" };
  if (resolved.kind !== "addresses") return { kind: "unresolved", why: "the name server gave no answer" };
  const { addresses } = resolved;
  const forbidden = addresses.find((address) => !rules.permits(host, port, address));
  if (forbidden !== undefined) return { kind: "forbidden", address: forbidden };
  return { kind: "addresses", addresses: addresses.slice(0, ADDRESSES_MAX) };
}
