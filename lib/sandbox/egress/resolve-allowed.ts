import { type Lookup, resolveHost } from "#lib/platform/outbound/resolve-host.ts";
import type { EgressRules } from "#lib/sandbox/egress/egress-rules.ts";

export type Resolved =
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
