import { printable } from "#lib/platform/log/printable.ts";
import type { NetworkUse } from "#schemas/artifacts/build-test-report.ts";

/** Why a connection was refused. */
export type Denial = NetworkUse["denied"][number]["why"];

/** Counts the bytes and connections that passed the proxy, and the refused connections. */
export interface EgressBytes {
  connected(host: string, port: number): void;
  sent(host: string, port: number, bytes: number): void;
  received(host: string, port: number, bytes: number): void;
  /** `target` is what the client asked for; null when it did not ask. */
  denied(target: { host: string; port: number | null } | null, why: Denial, address?: string | null): void;
  /** Records an allowed host that could not be connected to. */
  unreachable(host: string, port: number, why: string): void;
  bytes(): number;
  denials(): number;
  use(): NetworkUse;
}

/** Refusals that differ from this many earlier ones are counted and not listed. */
const ENTRIES_MAX = 50;

export function countEgressBytes(): EgressBytes {
  const hosts = new Map<string, NetworkUse["hosts"][number]>();
  const denied = new Map<string, NetworkUse["denied"][number]>();
  const unreachable = new Map<string, NetworkUse["unreachable"][number]>();
  let denials = 0;
  let bytes = 0;
  const entry = (host: string, port: number) => {
    const key = `${host}:${port}`;
    const known = hosts.get(key) ?? { host, port, connections: 0, bytes_sent: 0, bytes_received: 0 };
    hosts.set(key, known);
    return known;
  };
  return {
    connected(host, port) {
      entry(host, port).connections += 1;
    },
    sent(host, port, count) {
      entry(host, port).bytes_sent += count;
      bytes += count;
    },
    received(host, port, count) {
      entry(host, port).bytes_received += count;
      bytes += count;
    },
    denied(target, why, address = null) {
      denials += 1;
      const host = target && printable(target.host);
      const port = target?.port ?? null;
      const key = JSON.stringify([host, port, why, address]);
      const known = denied.get(key);
      if (known) known.attempts += 1;
      else if (denied.size < ENTRIES_MAX) denied.set(key, { host, port, why, address, attempts: 1 });
    },
    unreachable(host, port, why) {
      unreachable.set(`${host}:${port}`, { host, port, why: printable(why) });
    },
    bytes: () => bytes,
    denials: () => denials,
    use: () => ({
      hosts: [...hosts.values()],
      denied: [...denied.values()],
      unreachable: [...unreachable.values()],
    }),
  };
}
