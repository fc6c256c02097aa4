import { z } from "zod";

export const SandboxProfile = z.strictObject({
  wall_seconds: z
    .number()
    .positive()
    .max(870)
    .describe("elapsed time of one command; an invocation has 900 s and writes its report in them"),
  cpu_seconds: z.number().positive().describe("CPU time of all its processes together"),
  output_bytes_max: z.int().positive().max(268_435_456).describe("bytes on stdout and stderr together"),
  processes_max: z.int().positive().describe("processes and threads alive at once"),
  memory_bytes_max: z.int().min(16_777_216).describe("resident memory of all its processes together"),
  isolation_minimum: z.enum(["full", "reduced"]).describe("refuse to run with less"),
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .describe("environment variables set for the command"),
});
export type SandboxProfile = z.infer<typeof SandboxProfile>;

/** `configs/sandbox_limits.json`: named limits for untrusted commands. */
export const SandboxLimitsConfig = z
  .strictObject({
    $schema: z.string(),
    source_bytes_max: z.int().positive().describe("size of an uploaded archive"),
    tree_bytes_max: z.int().positive().describe("size of an unpacked tree"),
    tree_files_max: z.int().positive().describe("files in an unpacked tree"),
    profiles: z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/), SandboxProfile),
  })
  .refine(({ source_bytes_max, tree_bytes_max }) => source_bytes_max <= tree_bytes_max, {
    path: ["source_bytes_max"],
    error: "source_bytes_max must not exceed tree_bytes_max: an archive unpacks to more",
  })
  .refine(({ profiles }) => Object.hasOwn(profiles, "standard"), {
    path: ["profiles"],
    error: "there must be a profile `standard`: a submission that names none gets it",
  });
export type SandboxLimitsConfig = z.infer<typeof SandboxLimitsConfig>;
