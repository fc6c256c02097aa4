import { closeSync, openSync, readlinkSync, readSync } from "node:fs";
import type { ProcessSample } from "#lib/sandbox/process-table.ts";
import type { LimitHit } from "#schemas/artifacts/build-test-report.ts";

const COUNTERS_BYTES_MAX = 16_384;

export interface NetworkAttempts {
  /** Finds the sandbox's network namespace. Call it once, when the sandbox stands. */
  attach(members: readonly ProcessSample[]): void;
  /** Evidence that the command wanted out; null when it did not, or nothing hinders it. */
  close(): LimitHit | null;
}

/**
 * Counts what the kernel found no route for in the sandbox's own network namespace (`OutNoRoutes`
 * in proc_pid_net(5)); an open counter file outlives the namespace's processes. An attempt alone
 * ends nothing: honest tools look for updates, and go on.
 */
export function countNetworkAttempts(): NetworkAttempts {
  let counters: { four: number; six: number | null } | null = null;
  return {
    attach(members) {
      const inside = processInside(members);
      if (!inside) return;
      const at = `/proc/${inside.pid}/net`;
      const four = openOrNull(`${at}/snmp`);
      if (four !== null) counters = { four, six: openOrNull(`${at}/snmp6`) };
    },
    close() {
      if (!counters) return null;
      const { four, six } = counters;
      const attempts = unrouted(readAgain(four), six === null ? "" : readAgain(six));
      closeSync(four);
      if (six !== null) closeSync(six);
      counters = null;
      if (attempts === 0) return null;
      return {
        code: "SANDBOX_NETWORK_DENIED",
        limit: 0,
        observed: attempts,
        evidence: `this step has no way out but what its profile lists: ${attempts} ${attempts === 1 ? "packet" : "packets"} of the command had no route, from OutNoRoutes in /proc/<pid>/net`,
      };
    },
  };
}

function unrouted(four: string, six: string): number {
  const [names = [], values = []] = four
    .split("\n")
    .filter((line) => line.startsWith("Ip: "))
    .map((line) => line.split(" "));
  const index = names.indexOf("OutNoRoutes");
  const packets_six = Number(/^Ip6OutNoRoutes\s+(\d+)/m.exec(six)?.[1] ?? 0);
  return (index < 0 ? 0 : Number(values[index])) + packets_six;
}

/** One with a network namespace of its own; undefined where the network is the worker's. */
export function processInside(members: readonly ProcessSample[]): ProcessSample | undefined {
  return members.find(({ pid }) => isElsewhere(pid));
}

/** Whether a process has another network namespace than this one. */
function isElsewhere(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync("/proc/self/ns/net");
  } catch {
    return false;
  }
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch {
    return null;
  }
}

function readAgain(file: number): string {
  const bytes = Buffer.alloc(COUNTERS_BYTES_MAX);
  return bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0));
}
