import { RetryableFault } from "#lib/platform/errors/fault.ts";

/** A computation that waits for a place. */
interface Waiting {
  tenant: string;
  admit(): void;
}

/** A limited number of places, shared out among tenants. */
export interface FairPlaces {
  /**
   * Waits for a place, and gives the function that leaves it.
   *
   * @throws RetryableFault `COMPUTATION_UNAVAILABLE` when too many of this tenant, or of all, wait already; the
   *   signal's reason when it is aborted while waiting
   */
  take(tenant: string, signal: AbortSignal): Promise<() => void>;
}

const WAITING_MAX = 1000;
/** So that one tenant's queue refuses nobody else. */
const WAITING_OF_TENANT_MAX = 100;

/**
 * Places by one rule: a tenant takes another place only while more places are free than it holds. So a tenant alone
 * has half of them, and whoever comes next finds one free; with 4 places 3 tenants together, with 8 places 4, are
 * needed to take all. Of those who wait the tenant that holds fewest is next, and of one tenant's the oldest.
 * The rule is the dynamic threshold of shared buffers (Choudhury and Hahne, 1998, https://doi.org/10.1109/90.664262).
 */
export function createFairPlaces(places_max: number): FairPlaces {
  const held = new Map<string, number>();
  const waiting: Waiting[] = [];
  let free = places_max;

  const heldBy = (tenant: string) => held.get(tenant) ?? 0;

  function enter(tenant: string): void {
    free -= 1;
    held.set(tenant, heldBy(tenant) + 1);
  }

  function leave(tenant: string): void {
    free += 1;
    const left = heldBy(tenant) - 1;
    if (left > 0) held.set(tenant, left);
    else held.delete(tenant);
    admitWaiting();
  }

  /** If whoever holds fewest may not have another place, nobody may. */
  function admitWaiting(): void {
    for (;;) {
      const [first, ...rest] = waiting;
      if (first === undefined) return;
      const next = rest.reduce((best, one) => (heldBy(one.tenant) < heldBy(best.tenant) ? one : best), first);
      if (heldBy(next.tenant) >= free) return;
      waiting.splice(waiting.indexOf(next), 1);
      enter(next.tenant);
      next.admit();
    }
  }

  function refuseTooMany(tenant: string): void {
    const own = waiting.filter((one) => one.tenant === tenant).length;
    if (own < WAITING_OF_TENANT_MAX && waiting.length < WAITING_MAX) return;
    throw new RetryableFault(
      "COMPUTATION_UNAVAILABLE",
      `${own} computations of this tenant and ${waiting.length - own} of others wait for a child process already. It is tried again.`,
    );
  }

  return {
    async take(tenant, signal) {
      signal.throwIfAborted();
      refuseTooMany(tenant);
      await new Promise<void>((resolve, reject) => {
        const abort = () => {
          waiting.splice(waiting.indexOf(place), 1);
          reject(signal.reason);
        };
        const admit = () => {
          signal.removeEventListener("abort", abort);
          resolve();
        };
        const place = { tenant, admit };
        waiting.push(place);
        signal.addEventListener("abort", abort, { once: true });
        admitWaiting();
      });
      return () => leave(tenant);
    },
  };
}
