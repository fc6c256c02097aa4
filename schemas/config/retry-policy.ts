import { z } from "zod";

/** `configs/retry_policy.json`: how often and how slowly work is tried again. */
export const RetryPolicyConfig = z
  .strictObject({
    $schema: z.string(),
    attempts_max: z.int().min(1).max(50).describe("claims of one step before it ends with verdict `error`"),
    backoff_ms_base: z.int().min(1).describe("full jitter: the n-th wait is random in [0, base · 2^n]"),
    backoff_ms_max: z
      .int()
      .min(1)
      .max(43_200_000)
      .describe("cap of one wait; SQS hides a message for 12 h at most"),
    throttle_backoff_ms_base: z.int().min(1).describe("base when a dependency throttles"),
    redispatch_seconds: z
      .int()
      .min(1)
      .describe("a dispatched step nobody claimed is sent again after this time, doubling each time"),
  })
  .refine(({ backoff_ms_base, backoff_ms_max }) => backoff_ms_base <= backoff_ms_max, {
    path: ["backoff_ms_base"],
    error: "backoff_ms_base must not exceed backoff_ms_max",
  })
  .refine(({ throttle_backoff_ms_base, backoff_ms_max }) => throttle_backoff_ms_base <= backoff_ms_max, {
    path: ["throttle_backoff_ms_base"],
    error: "throttle_backoff_ms_base must not exceed backoff_ms_max",
  });
export type RetryPolicyConfig = z.infer<typeof RetryPolicyConfig>;
