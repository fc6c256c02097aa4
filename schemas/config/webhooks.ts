import { z } from "zod";

/** `configs/webhooks.json`: how tenants are told of their tasks' ends. How often it is tried: retry_policy.json. */
export const WebhooksConfig = z
  .strictObject({
    $schema: z.string(),
    webhooks_per_tenant_max: z.int().min(1).max(50).describe("webhooks a tenant may have"),
    rotation_hours_default: z
      .int()
      .min(0)
      .max(720)
      .describe("hours in which both secrets sign after a rotation, unless asked otherwise"),
    rotation_hours_max: z.int().min(0).max(720).describe("hours in which both may sign"),
    timeout_seconds: z
      .int()
      .min(1)
      .max(20)
      .describe("how long a receiver may take to answer before the try counts as failed"),
    response_bytes_max: z
      .int()
      .min(0)
      .max(1_048_576)
      .describe("bytes of an answer's body that are read, and dropped, before the connection is closed"),
  })
  .refine(({ rotation_hours_default, rotation_hours_max }) => rotation_hours_default <= rotation_hours_max, {
    path: ["rotation_hours_default"],
    error: "rotation_hours_default must not exceed rotation_hours_max",
  });
export type WebhooksConfig = z.infer<typeof WebhooksConfig>;
