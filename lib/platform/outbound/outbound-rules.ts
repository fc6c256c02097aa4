import type { OutboundConfig, OutboundRules } from "#schemas/config/outbound.ts";

const DEPLOYED: OutboundRules = { schemes: ["https"], addresses: "public" };

/** The rules of a stage: only the local one may be given wider ones. */
export function outboundRules({ local }: OutboundConfig, stage: string): OutboundRules {
  return stage === "local" ? local : DEPLOYED;
}
