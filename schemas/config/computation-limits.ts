import { z } from "zod";

/**
 * `configs/computation_limits.json`: limits of the child processes that compute on submitted input
 * (archives, diffs, codemods, symbols, test reports) and of git.
 */
export const ComputationLimitsConfig = z.strictObject({
  $schema: z.string(),
  wall_seconds_max: z
    .number()
    .positive()
    .max(870)
    .describe("elapsed time of one computation; cut to the task's deadline"),
  memory_bytes_max: z
    .int()
    .min(134_217_728)
    .max(17_179_869_184)
    .describe(
      "resident memory of the child process, some 70 MB of engine included; cut to 60 % of the machine's memory",
    ),
  output_bytes_max: z
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .describe("bytes of one computation's result, and of the files that a codemod writes"),
  rewritten_file_bytes_max: z
    .int()
    .min(1024)
    .max(268_435_456)
    .describe("bytes of one file that codemod rules rewrite, before and after each rule"),
  file_seconds_max: z
    .number()
    .positive()
    .max(870)
    .default(10)
    .describe("elapsed time of reading one file for the index; a file that takes longer is left out"),
  files_left_out_max: z
    .int()
    .min(0)
    .max(1000)
    .default(10)
    .describe(
      "files that the parser stalls or crashes on and that an index is made without; with more the step fails",
    ),
  git: z
    .strictObject({
      fetch_seconds_max: z.number().positive().max(870).describe("elapsed time of one fetch"),
      memory_bytes_max: z
        .int()
        .min(67_108_864)
        .describe("private memory of each git process; the answers of a server are held in it"),
    })
    .describe("limits of fetching a git source; what it may write is tree_bytes_max of sandbox_limits.json"),
});
export type ComputationLimitsConfig = z.infer<typeof ComputationLimitsConfig>;
