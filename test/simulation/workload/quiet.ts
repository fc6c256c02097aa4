import type { FaultProfile } from "../engine/faults.ts";

/** No faults: what happens is what a test makes happen. */
export const QUIET: FaultProfile = {
  refused: 0,
  answer_lost: 0,
  sent_twice: 0,
  late_copy: 0,
  slow: 0,
  crash: 0,
  freeze: 0,
  timeouts_ignored: false,
  redelivered: 0,
  delete_lost: 0,
  clock_skew_ms: 0,
  restarts: 0,
  index_lag_ms: 0,
  page_items_max: 1000,
  run_fails: 0,
  duration_ms: 0,
};
