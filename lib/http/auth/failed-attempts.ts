import { isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import type { KeyPorts } from "#lib/http/auth/key-store.ts";
import { FAILED_ATTEMPTS } from "#lib/platform/table/items.ts";
import { keyOf } from "#lib/platform/table/keys.ts";
import { updateItem } from "#lib/platform/table/operations.ts";
import type { AuthenticationConfig } from "#schemas/config/authentication.ts";

type Limits = Pick<AuthenticationConfig, "failures_max" | "failures_window_seconds" | "failures_batch">;

/** How an address stands after one more failure. */
export interface AttemptCount {
  /** In this window, by all processes as far as this one knows: `failures_batch - 1` of each may be missing. */
  failures: number;
  exceeded: boolean;
  /** The first beyond the limit that this process met. */
  newly_exceeded: boolean;
  /** Until the window ends. */
  retry_after_seconds: number;
}

const ADDRESSES_MAX = 10_000;
const KEPT_WINDOWS = 2;

interface Seen {
  /** As the table said last. */
  shared: number;
  /** Not told to the table yet. */
  own: number;
  exceeded: boolean;
}

/**
 * Counts failed attempts by source address in windows of the clock. A process tells the table of
 * every `failures_batch` failures of an address, and learns from the answer what all others saw; over
 * the limit it writes no more. An attack with n tries costs n / batch writes at most.
 */
export class FailedAttempts {
  readonly #ports: Pick<KeyPorts, "table" | "table_name" | "runtime">;
  readonly #counts = new LRUCache<string, Seen>({ max: ADDRESSES_MAX });
  #window = "";

  constructor(ports: Pick<KeyPorts, "table" | "table_name" | "runtime">) {
    this.#ports = ports;
  }

  /** Counts one failure. A table that does not answer leaves the count to this process. */
  async count(source_ip: string, limits: Limits): Promise<AttemptCount> {
    const window_ms = limits.failures_window_seconds * 1000;
    const now = this.#ports.runtime.now();
    const begins_ms = Math.floor(now / window_ms) * window_ms;
    const network = networkOf(source_ip);
    const seen = this.#seen(network, `${begins_ms}/${window_ms}`);
    seen.own += 1;
    if (seen.own >= limits.failures_batch && seen.shared <= limits.failures_max) {
      const told = seen.own;
      seen.own = 0;
      const expires_at = Math.ceil((begins_ms + KEPT_WINDOWS * window_ms) / 1000);
      const total = await this.#tell(network, `${begins_ms}/${window_ms}`, told, expires_at);
      seen.shared = Math.max(total ?? 0, seen.shared + told);
    }
    const failures = seen.shared + seen.own;
    const exceeded = failures > limits.failures_max;
    const newly_exceeded = exceeded && !seen.exceeded;
    seen.exceeded = exceeded;
    return {
      failures,
      exceeded,
      newly_exceeded,
      retry_after_seconds: Math.max(1, Math.ceil((begins_ms + window_ms - now) / 1000)),
    };
  }

  #seen(network: string, window: string): Seen {
    if (window !== this.#window) this.#counts.clear();
    this.#window = window;
    const known = this.#counts.get(network);
    if (known) return known;
    const made = { shared: 0, own: 0, exceeded: false };
    this.#counts.set(network, made);
    return made;
  }

  async #tell(
    network: string,
    window: string,
    failures: number,
    expires_at: number,
  ): Promise<number | undefined> {
    try {
      const written = await updateItem(
        keyOf(FAILED_ATTEMPTS, { network, window }),
        {
          update: "SET expires_at = :expires_at ADD failures :failures",
          values: { expires_at, failures },
          returns: "UPDATED_NEW",
        },
        this.#ports,
      );
      return Number(written.failures);
    } catch {
      return undefined;
    }
  }
}

/** One subscriber has a whole /64 of IPv6; an IPv4 address counts by itself. */
function networkOf(source_ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(source_ip)?.[1];
  if (mapped) return mapped;
  if (!isIPv6(source_ip)) return source_ip.slice(0, 64);
  const [head = "", tail] = source_ip.toLowerCase().split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
