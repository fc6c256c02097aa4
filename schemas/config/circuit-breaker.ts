import { z } from "zod";

const share = () => z.number().min(0).max(1);

const fields = {
  scope: z
    .enum(["fleet", "tenant", "shard"])
    .describe("whose calls share a circuit: those of the whole fleet, of one tenant, or of one shard"),
  window_seconds: z
    .int()
    .min(1)
    .max(600)
    .describe("how far back calls count; a healthy environment shares its counts once in this time"),
  calls_min: z.int().min(1).max(10_000).describe("calls in the window before a rate opens the circuit"),
  failure_rate_open: share().describe("share of failed calls from which the circuit opens; 0 to 1"),
  slow_call_ms: z.int().min(1).max(900_000).describe("a call that takes longer counts as slow"),
  slow_rate_open: share().describe("share of slow calls from which the circuit opens; 0 to 1"),
  consecutive_failures_open: z
    .int()
    .min(1)
    .max(10_000)
    .describe("failures in a row, over all environments, that open the circuit whatever the rate"),
  open_seconds_base: z
    .int()
    .min(1)
    .max(3600)
    .describe("how long it stays open the first time; doubles each time a probe fails"),
  open_seconds_max: z
    .int()
    .min(1)
    .max(86_400)
    .describe("the longest time it stays open before the next probe"),
  probe_lease_seconds: z
    .int()
    .min(5)
    .max(900)
    .describe("lease of a probe, renewed while it runs; when it ends, another probe is elected"),
  probes_to_close: z.int().min(1).max(100).describe("successful probes in a row that close the circuit"),
  damping_multiplier: z
    .number()
    .min(1.01)
    .max(10)
    .describe(
      "calls admitted for each one that succeeds; beyond that calls are refused. 2 refuses calls from 50 % failures on",
    ),
  admission_share_min: share().describe(
    "share of calls that is always admitted while calls fail, so that recovery is noticed; 0 to 1",
  ),
  ramp_seconds: z
    .int()
    .min(0)
    .max(3600)
    .describe("after closing, how long admission takes to grow from a tenth of the usual load to all of it"),
  park_seconds_max: z
    .int()
    .min(1)
    .max(43_200)
    .describe("longest time a parked call waits before it asks again"),
  when_unknown: z
    .enum(["fail_open", "fail_closed"])
    .describe("when the shared state cannot be read: each environment calls and counts alone, or parks"),
};

/** How one circuit behaves. */
export const CircuitPolicy = z.strictObject(fields);
export type CircuitPolicy = z.infer<typeof CircuitPolicy>;

const PATTERN = /^(?:[a-z0-9][a-z0-9_-]{0,63}|\*)(?:\.(?:[a-z0-9][a-z0-9_-]{0,63}|\*)){2}$/;

/** `configs/circuit_breaker.json`: when calls to a dependency are refused, stopped and probed. */
export const CircuitBreakerConfig = z
  .strictObject({
    $schema: z.string(),
    defaults: CircuitPolicy,
    circuits: z
      .record(z.string().regex(PATTERN), CircuitPolicy.partial())
      .refine((circuits) => Object.keys(circuits).length <= 200, "must have at most 200 patterns")
      .describe(
        "overrides by `service.role.dependency`; `*` matches any part; a pattern that names more parts wins",
      ),
  })
  .superRefine(({ defaults, circuits }, context) => {
    for (const [pattern, changes] of [["defaults", {}] as const, ...Object.entries(circuits)]) {
      const { open_seconds_base, open_seconds_max } = { ...defaults, ...changes };
      if (open_seconds_base <= open_seconds_max) continue;
      const path = pattern === "defaults" ? ["defaults"] : ["circuits", pattern];
      const message = "open_seconds_base must not exceed open_seconds_max";
      context.addIssue({ code: "custom", path: [...path, "open_seconds_base"], message });
    }
  });
export type CircuitBreakerConfig = z.infer<typeof CircuitBreakerConfig>;
