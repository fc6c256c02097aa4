import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  wrap,
} from "cockatiel";
import type { Variant } from "./lab.ts";
import { redriveFleet } from "./redrive-fleet.ts";
import { virtualGlobals } from "./virtual-globals.ts";

/** The first example of cockatiel's README, in each environment by itself, with the queue's redrive behind. */
export const cockatiel: Variant = {
  name: "cockatiel",
  description:
    "retry 3 times with exponential backoff around a breaker (5 failures in a row, half-open after 10 s), 20 receives",
  start(lab) {
    const restore = virtualGlobals(lab.scheduler, lab.random);
    return redriveFleet(lab, {
      receives_max: 20,
      visibility_ms: 60_000,
      environment() {
        const retries = retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() });
        const breaker = circuitBreaker(handleAll, {
          halfOpenAfter: 10_000,
          breaker: new ConsecutiveBreaker(5),
        });
        const policy = wrap(retries, breaker);
        return ({ id }) =>
          policy.execute(() => lab.dependency.call(id, breaker.state === CircuitState.HalfOpen));
      },
      stop: restore,
    });
  },
};
