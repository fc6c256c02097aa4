import type { Log } from "#lib/platform/log/log.ts";
import { type Counters, PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";
import type { CircuitEvent, CircuitRecord } from "#schemas/records/circuit.ts";

const WORDS: Record<CircuitEvent, string> = {
  opened: "calls to it wait",
  half_opened: "one call tries it",
  closed: "calls to it go through again",
  forced_open: "an operator stops calls to it",
  forced_closed: "an operator lets all calls to it through",
  reset: "an operator makes it forget",
};

/** The last entry of the trail as a log line and a metric: `CIRCUIT_OPENED` and `circuit_opened`. */
export function announce(record: CircuitRecord, log: Log, counters: Counters | undefined): void {
  const transition = record.trail.at(-1);
  if (transition?.generation !== record.generation) return;
  const { event, code, why, generation, policy_hash } = transition;
  const metric = `circuit_${event}`;
  counters?.count(metric, record.tenant ?? PLATFORM_TENANT);
  log[event === "opened" || event === "forced_open" ? "warn" : "info"](
    metric.toUpperCase(),
    `${record.key}: ${WORDS[event]}, for ${why}`,
    {
      circuit: record.key,
      why: code,
      generation,
      opens: record.opens,
      ...(record.next_probe_at !== undefined && {
        next_probe_at: new Date(record.next_probe_at).toISOString(),
      }),
      policy_hash,
    },
  );
}
