import type { Random } from "./random.ts";

/** How often what goes wrong in one seed; each a probability per operation unless its name says else. */
export interface FaultProfile {
  /** Refused before any effect (throttling, connection refused). */
  refused: number;
  /** Took effect, and the answer was lost. */
  answer_lost: number;
  /** Took effect, the answer was lost, and the SDK sent it again and returns what the second met. */
  sent_twice: number;
  /** Sent twice, and the first copy takes effect seconds to minutes after the second was answered. */
  late_copy: number;
  /** Takes effect only after seconds to minutes. */
  slow: number;
  /** The invocation dies, at any of the points where an operation is issued, done or answered. */
  crash: number;
  /** The whole process stands still for longer than a lease, and then goes on. */
  freeze: number;
  /** Lambda does not end an invocation at its timeout (as the local stack does not). */
  timeouts_ignored: boolean;
  /** SQS delivers a received message once more meanwhile, or again after it was deleted. */
  redelivered: number;
  /** Deleting a finished message fails. */
  delete_lost: number;
  /** Each invocation's clock is off by up to this, in ms. */
  clock_skew_ms: number;
  /** Times at which everything that runs dies. */
  restarts: number;
  /** Longest lag of a global secondary index, in ms. */
  index_lag_ms: number;
  /** Items a query page holds; DynamoDB's limit is 1 MB, ours is small so that pages break. */
  page_items_max: number;
  /** A step's attempt fails, in one of the ways agents do. */
  run_fails: number;
  /** How long faults go on, in ms of virtual time. */
  duration_ms: number;
}

/**
 * Two invocations' clocks may be this far apart and a live lease is still never taken: a lease is
 * renewed every third of its length, so two thirds of the shortest (15 s) are always left, less
 * slow operations. Beyond it nothing is doubled either, for fences do not depend on clocks; only
 * attempts may be wasted. Amazon Time Sync keeps within milliseconds.
 */
const CLOCK_SKEW_MS_TOLERATED = 4000;

/** A profile for one seed: each kind of fault is on in about half of the seeds, so that they mix. */
export function drawFaults(random: Random): FaultProfile {
  const rate = (most: number) => (random.chance(0.5) ? random.next() * most : 0);
  return {
    refused: rate(0.06),
    answer_lost: rate(0.05),
    sent_twice: rate(0.06),
    late_copy: rate(0.03),
    slow: rate(0.02),
    crash: rate(0.012),
    freeze: rate(0.006),
    timeouts_ignored: random.chance(0.3),
    redelivered: rate(0.15),
    delete_lost: rate(0.1),
    clock_skew_ms: random.chance(0.5) ? random.int(0, CLOCK_SKEW_MS_TOLERATED / 2) : 0,
    restarts: random.chance(0.3) ? random.int(1, 3) : 0,
    index_lag_ms: random.pick([0, 50, 1000, 20_000]),
    page_items_max: random.pick([1000, 1000, 1, 2, 3]),
    run_fails: rate(0.5),
    duration_ms: random.int(10_000, 240_000),
  };
}
