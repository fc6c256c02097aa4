import { z } from "zod";
import { NotEnforced, Phase } from "#schemas/artifacts/build-test-report.ts";
import { ErrorCode, Sha256, Verdict } from "#schemas/primitives.ts";

/** `run/report.json`: one command of the `run` workflow. */
export const RunReport = z.strictObject({
  verdict: Verdict,
  code: ErrorCode.nullable(),
  reason: z.string(),
  isolation: z.enum(["full", "reduced"]),
  isolation_backend: z.enum(["bubblewrap", "process"]),
  not_enforced: z.array(NotEnforced).describe("as in a build and test report"),
  profile: z.string(),
  profile_hash: Sha256,
  phase: Phase,
  files: z
    .array(z.strictObject({ path: z.string(), bytes: z.int().min(0) }))
    .describe("what the command left in ~/artifacts: regular files only, under safe names"),
  files_left_out: z
    .array(z.strictObject({ name: z.string(), why: z.string() }))
    .describe("what was there and was not taken: links, devices, pipes, too much"),
});
export type RunReport = z.infer<typeof RunReport>;
