import { z } from "zod";

/** `configs/retry_policy.json`: how often and how slowly work is tried again. */
export const RetryPolicyConfig = z.strictObject({
  $schema: z.string(),
  attempts_max: z.int().min(1).max(50).describe("claims of one step before it ends with verdict `error`"),
  backoff_ms_base: z.int().min(1).describe("full jitter: the n-th wait is random in [0, base · 2^n]"),
  backoff_ms_max: z.int().min(1).describe("cap of one wait"),
  throttle_backoff_ms_base: z.int().min(1).describe("base when a dependency throttles"),
  redispatch_seconds: z
    .int()
    .min(1)
    .describe("a dispatched step nobody claimed is sent again after this time, doubling each time"),
});
export type RetryPolicyConfig = z.infer<typeof RetryPolicyConfig>;
