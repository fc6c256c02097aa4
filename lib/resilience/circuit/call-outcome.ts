import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";

/** What a call says about its dependency. `nothing`: it was given up for reasons of the caller's. */
export type CallOutcome = "answered" | "failed" | "nothing";

interface EndedCall {
  error: unknown;
  /** The caller's own signal was aborted. */
  given_up: boolean;
  /** It ran into its deadline, after `elapsed_ms`. */
  late: boolean;
  elapsed_ms: number;
  slow_call_ms: number;
}

/**
 * An error that may pass (`retry`, `throttle`) is the dependency's failure; with `terminal` and
 * `reject` it has answered, and with `park` somebody else is waited for. A call that met its deadline
 * counts as failed only when it had the time a call may take.
 */
export function outcomeOfError({ error, given_up, late, elapsed_ms, slow_call_ms }: EndedCall): CallOutcome {
  if (given_up) return "nothing";
  if (late) return elapsed_ms >= slow_call_ms ? "failed" : "nothing";
  switch (dispositionOf(error)) {
    case "retry":
    case "throttle":
      return "failed";
    case "park":
      return "nothing";
    case "terminal":
    case "reject":
      return "answered";
  }
}
