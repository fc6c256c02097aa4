import { z } from "zod";
import { SourceRef } from "#schemas/messages/source.ts";

export const SandboxInput = z.strictObject({
  source: SourceRef,
  command: z.string().min(1),
  profile: z.string().min(1),
});
export type SandboxInput = z.infer<typeof SandboxInput>;

export const SandboxOutput = z.strictObject({
  exit_code: z.int().nullable().describe("null when a signal or a limit ended the command"),
  duration_ms: z.number().min(0),
});
export type SandboxOutput = z.infer<typeof SandboxOutput>;
