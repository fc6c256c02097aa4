import { LeaseLost } from "#lib/platform/lease/lease-lost.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";

interface Keeping {
  /** What is leased, for messages, as in `step codegen`. */
  name: string;
  runtime: Runtime;
  /** How long the lease should last from now on; 0 or less when it must not be renewed any more. */
  leaseMs(): number;
  /** Throws `LeaseLost` when it is somebody else's. */
  renew(lease_ms: number): Promise<void>;
  /** What to do in between, so often: a cheaper way to find out that the lease is gone, as `renew` does. */
  look?: { interval_ms: number; work(): Promise<void> } | undefined;
  /** Called once, when the lease is gone or can no longer be vouched for. */
  onLost: (error: LeaseLost) => void;
}

const INTERVAL_MS_MIN = 100;

/**
 * Renews a lease every third of its length until stopped. When renewing fails, it tries again
 * while the lease lasts; a lease that ran out counts as lost, whoever holds it now.
 */
export function keepLease({ name, runtime, leaseMs, renew, look, onLost }: Keeping): { stop(): void } {
  const stopped = new AbortController();

  const lookUntil = async (renewal_ms: number): Promise<void> => {
    for (let left_ms = renewal_ms - runtime.now(); left_ms > 0; left_ms = renewal_ms - runtime.now()) {
      await runtime.sleep(Math.min(left_ms, look?.interval_ms ?? left_ms), stopped.signal);
      if (!look || runtime.now() >= renewal_ms) return;
      await look.work().catch((error: unknown) => {
        if (error instanceof LeaseLost) throw error; // anything else, the renewal will meet again
      });
    }
  };

  const keep = async (): Promise<void> => {
    let lease_ms = leaseMs();
    let expires_ms = runtime.now() + lease_ms;
    while (!stopped.signal.aborted) {
      let asked_ms = runtime.now();
      try {
        await lookUntil(asked_ms + Math.max(INTERVAL_MS_MIN, Math.floor(lease_ms / 3)));
        asked_ms = runtime.now();
        lease_ms = leaseMs();
        if (lease_ms > 0) {
          await renew(lease_ms);
          expires_ms = asked_ms + lease_ms;
        } else if (asked_ms >= expires_ms) return onLost(new LeaseLost(name));
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (error instanceof LeaseLost) return onLost(error);
        if (runtime.now() >= expires_ms) return onLost(new LeaseLost(name));
      }
    }
  };

  keep().catch(() => undefined); // only the sleep can throw here, when stopped
  return { stop: () => stopped.abort() };
}
