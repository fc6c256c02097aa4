import { z } from "zod";
import { Notice } from "#schemas/records/alert.ts";

/** One notice for one sink of configs/alerts.json. */
export const AlertsInput = z.strictObject({ sink: z.string().min(1).max(48), notice: Notice });
export type AlertsInput = z.infer<typeof AlertsInput>;

export const AlertsOutput = z.strictObject({
  status_code: z.int().min(100).max(999).describe("what the receiver answered"),
});
export type AlertsOutput = z.infer<typeof AlertsOutput>;
