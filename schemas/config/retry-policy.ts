import { z } from "zod";
import { ErrorCode } from "#schemas/primitives.ts";

/** Codes by which the platform orders its own work. No policy changes their dispositions. */
const FIXED_CODES = [
  "IDEMPOTENCY_MISMATCH",
  "LEASE_LOST",
  "RECEIVES_SPENT",
  "STEP_IN_PROGRESS",
  "STEP_PARKED",
];

const Disposition = z.enum(["retry", "throttle", "park", "terminal", "reject"]);

const RetryDispositions = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{1,63}$/), Disposition)
  .refine((dispositions) => !FIXED_CODES.some((code) => Object.hasOwn(dispositions, code)), {
    error: `a policy cannot change what becomes of ${FIXED_CODES.join(", ")}: take it out`,
  });

/** How failures of one kind of work are answered. */
export const RetryPolicy = z.strictObject({
  attempts_max: z
    .int()
    .min(1)
    .max(50)
    .describe("attempts of one step before it ends with verdict `error`; parking is not an attempt"),
  jitter: z
    .enum(["full", "decorrelated"])
    .describe(
      "how a wait is drawn: `full` from [0, base · 2^(n-1)], `decorrelated` from [base, 3 × the wait before]",
    ),
  backoff_ms_base: z.int().min(1).max(43_200_000).describe("ms; base of the first wait"),
  backoff_ms_max: z
    .int()
    .min(1)
    .max(43_200_000)
    .describe("ms; the longest wait. SQS hides a message for 12 h at most"),
  throttle_backoff_ms_base: z
    .int()
    .min(1)
    .max(43_200_000)
    .describe("ms; base instead of `backoff_ms_base` when a dependency throttles and gives no Retry-After"),
  total_seconds_max: z
    .int()
    .min(1)
    .max(86_400)
    .describe("s from a step's first attempt; no attempt begins later. Time spent parked is not counted"),
  last_try_seconds_min: z
    .int()
    .min(0)
    .max(3600)
    .describe(
      "s from a step's first attempt; after failures of a dependency the last attempt is not made sooner, so that an outage can be told from work that fails alone",
    ),
  retry_budget_ratio: z
    .number()
    .min(0)
    .max(1)
    .describe("retries that are admitted for each first attempt of a dependency's calls; 0 to 1"),
  retry_budget_floor_per_minute: z
    .int()
    .min(0)
    .describe("retries a minute and dependency that are always admitted, whatever the ratio"),
  park_spread_ratio: z
    .number()
    .min(0)
    .max(10)
    .describe(
      "parked work returns over this many times the time it was parked; at 1 the rate of arrivals about doubles",
    ),
  dispositions: RetryDispositions.describe(
    "error code, AWS error name or error class → what becomes of the work: `retry`, `throttle`, `park`, `terminal` or `reject`",
  ),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;

const Label = z.string().min(1).max(64);

const RetryMatch = z
  .strictObject({
    service: Label.describe("agent, for example `codegen`").optional(),
    role: Label.describe("role of the worker, for example `worker`").optional(),
    dependency: Label.describe("dependency that failed, for example `model`").optional(),
    code: ErrorCode.describe("code of the error, for example `WEBHOOK_REFUSED`").optional(),
    tenant: Label.describe("tenant id").optional(),
  })
  .refine((match) => Object.values(match).some((label) => label !== undefined), {
    error: "name at least one label: what applies to all work belongs in defaults",
  });

const RetryOverride = RetryPolicy.partial().extend({
  match: RetryMatch.describe(
    "labels the work and its failure must have; more labels win, then the later entry",
  ),
});
export type RetryOverride = z.infer<typeof RetryOverride>;

const OVERRIDES_MAX = 100;

/** `configs/retry_policy.json`: how often and after which waits work is tried again, and how parked work returns. */
export const RetryPolicyConfig = z
  .strictObject({
    $schema: z.string(),
    redispatch_seconds: z
      .int()
      .min(1)
      .describe("s; a dispatched step nobody claimed is sent again after this time, doubling each time"),
    defaults: RetryPolicy,
    overrides: z.array(RetryOverride).max(OVERRIDES_MAX).default([]),
  })
  .superRefine(({ defaults, overrides }, context) => {
    const layers = [{ path: ["defaults"], layer: defaults as Partial<RetryPolicy> }].concat(
      overrides.map((layer, index) => ({ path: ["overrides", String(index)], layer })),
    );
    for (const { path, layer } of layers) {
      const { backoff_ms_max = defaults.backoff_ms_max } = layer;
      const { last_try_seconds_min = defaults.last_try_seconds_min } = layer;
      if (last_try_seconds_min >= (layer.total_seconds_max ?? defaults.total_seconds_max)) {
        const message = "total_seconds_max must be above last_try_seconds_min, or there is no last try";
        context.addIssue({ code: "custom", path: [...path, "total_seconds_max"], message });
      }
      for (const name of ["backoff_ms_base", "throttle_backoff_ms_base"] as const) {
        const base = layer[name] ?? defaults[name];
        if (base <= backoff_ms_max) continue;
        const named = layer[name] === undefined ? "backoff_ms_max" : name;
        const message =
          named === name
            ? `${name} must not exceed backoff_ms_max`
            : `backoff_ms_max must not be below ${name}`;
        context.addIssue({ code: "custom", path: [...path, named], message });
      }
    }
  });
export type RetryPolicyConfig = z.infer<typeof RetryPolicyConfig>;
