/** What a limiter says of one request. Times are from now, whole seconds, at least 1. */
export type Decision =
  | {
      kind: "admitted";
      /** Requests that may follow at once, as far as this environment knows. */
      remaining: number;
      /** Left of the day; undefined without a daily limit. */
      day?: { remaining: number; reset_seconds: number };
    }
  | { kind: "refused"; reason: "rate" | "day"; retry_after_seconds: number }
  /** The table does not answer. */
  | { kind: "unknown" };

/** What a request cost the limiter. */
type LimiterCost = "rate_limit_reads" | "rate_limit_writes" | "rate_limit_outages";

/** Told of each call to the table, and of each failure with its reason. */
export type TellCost = (cost: LimiterCost, reason?: unknown) => void;
