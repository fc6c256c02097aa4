import type { ClaimKey, Claims, Lease } from "#lib/idempotency/claims.ts";
import { LeaseLost } from "#lib/idempotency/lease-lost.ts";
import type { Runtime } from "#lib/runtime/runtime.ts";

interface Keeping {
  claims: Claims;
  runtime: Runtime;
  key: ClaimKey;
  lease: Lease;
  lease_ms: number;
  /** Called once, when the lease is gone or can no longer be vouched for. */
  onLost: (error: LeaseLost) => void;
}

/**
 * Renews a lease every third of its length until stopped. When renewing fails, it tries again
 * while the lease lasts; a lease that ran out counts as lost, whoever holds it now.
 */
export function keepLease({ claims, runtime, key, lease, lease_ms, onLost }: Keeping): { stop(): void } {
  const stopped = new AbortController();
  const interval_ms = Math.max(100, Math.floor(lease_ms / 3));

  const keep = async (): Promise<void> => {
    let expires_ms = runtime.now() + lease_ms;
    while (!stopped.signal.aborted) {
      await runtime.sleep(interval_ms, stopped.signal);
      const asked_ms = runtime.now();
      try {
        await claims.renew(key, lease, lease_ms);
        expires_ms = asked_ms + lease_ms;
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (error instanceof LeaseLost) return onLost(error);
        if (runtime.now() >= expires_ms) return onLost(new LeaseLost(key.step));
      }
    }
  };

  keep().catch(() => undefined); // only the sleep can throw here, when stopped
  return { stop: () => stopped.abort() };
}
