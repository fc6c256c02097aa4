import { z } from "zod";

/** Where connections to what a submitter named may go. */
export const OutboundRules = z.strictObject({
  schemes: z
    .array(z.enum(["https", "http"]))
    .min(1)
    .max(2)
    .describe("URL schemes of git sources and webhooks; without `https` nothing is encrypted"),
  addresses: z
    .enum(["public", "loopback", "any"])
    .describe(
      "`public`: addresses that are routed on the internet; `loopback`: also this machine; `any`: also private, link-local and metadata addresses",
    ),
});
export type OutboundRules = z.infer<typeof OutboundRules>;

/**
 * `configs/outbound.json`: where git sources and webhooks may lead. A deployed stage connects to public
 * addresses over https, whatever stands here.
 */
export const OutboundConfig = z.strictObject({
  $schema: z.string(),
  local: OutboundRules.describe("what holds on the local stage, and on no other"),
});
export type OutboundConfig = z.infer<typeof OutboundConfig>;
