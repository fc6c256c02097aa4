import CircuitBreaker from "opossum";
import type { Variant } from "./lab.ts";
import { redriveFleet } from "./redrive-fleet.ts";
import { virtualGlobals } from "./virtual-globals.ts";

/** The example of opossum's README, in each environment by itself, with the queue's redrive behind. */
export const opossum: Variant = {
  name: "opossum",
  description: "breaker (50 % errors in 10 s, half-open after 30 s, timeout that of the call), 20 receives",
  start(lab) {
    const restore = virtualGlobals(lab.scheduler, lab.random);
    const breakers: { shutdown(): void }[] = [];
    return redriveFleet(lab, {
      receives_max: 20,
      visibility_ms: 60_000,
      environment() {
        const breaker: CircuitBreaker<[string], void> = new CircuitBreaker(
          (id: string) => lab.dependency.call(id, breaker.halfOpen || breaker.pendingClose),
          {
            timeout: lab.plan.call_timeout_ms + 1000,
            errorThresholdPercentage: 50,
            resetTimeout: 30_000,
          },
        );
        breakers.push(breaker);
        return async ({ id }) => {
          await breaker.fire(id);
        };
      },
      stop() {
        for (const breaker of breakers) breaker.shutdown();
        restore();
      },
    });
  },
};
