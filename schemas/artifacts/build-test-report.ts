import { z } from "zod";
import { ErrorCode, Sha256, Verdict } from "#schemas/primitives.ts";

export const TestCase = z.strictObject({
  name: z.string().describe("full name, suites joined by ' > '"),
  file: z.string().nullable(),
  status: z.enum(["passed", "failed", "skipped"]),
  duration_ms: z.number().min(0).nullable(),
  failure: z.string().nullable().describe("message and stack of a failed test, cut at 8,000 characters"),
});
export type TestCase = z.infer<typeof TestCase>;

/** What a command used. Null: nothing could be measured. Peaks are of samples, so they are lower bounds. */
export const ResourceUsage = z.strictObject({
  wall_ms: z.number().min(0),
  cpu_ms: z.number().min(0).nullable(),
  memory_bytes_peak: z.int().min(0).nullable(),
  processes_peak: z.int().min(0).nullable().describe("processes and threads alive at once"),
  open_files_peak: z.int().min(0).nullable().describe("open in one process"),
  bytes_written: z
    .int()
    .min(0)
    .nullable()
    .describe("passed to write calls, or added to the disk if that is more"),
  disk_bytes_peak: z
    .int()
    .min(0)
    .nullable()
    .describe("in the tree, home and temporary directory, source included"),
  inodes_peak: z.int().min(0).nullable().describe("files, directories and links in these three"),
  file_bytes_peak: z.int().min(0).nullable().describe("size of the largest file written"),
  output_bytes: z.int().min(0),
  network_bytes: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe("through the filtering proxy, both directions together; null: there was none"),
});
export type ResourceUsage = z.infer<typeof ResourceUsage>;

/** One code for each limit. They say that the submitted work is at fault, and nothing is tried again. */
export const LimitCode = z.enum([
  "SANDBOX_CPU_TIME",
  "SANDBOX_WALL_TIME",
  "SANDBOX_MEMORY",
  "SANDBOX_PROCESSES",
  "SANDBOX_OPEN_FILES",
  "SANDBOX_FILE_SIZE",
  "SANDBOX_DISK",
  "SANDBOX_INODES",
  "SANDBOX_OUTPUT",
  "SANDBOX_NETWORK_DENIED",
  "SANDBOX_PATH_DENIED",
]);

/** What a profile asks for and this machine or a reduced isolation does not do. */
export const NotEnforced = z.enum([
  "network",
  "filesystem",
  "processes",
  "system calls",
  "shared memory",
  "kernel memory",
]);
export type NotEnforced = z.infer<typeof NotEnforced>;

export const LimitHit = z.strictObject({
  code: LimitCode,
  limit: z.number(),
  observed: z.number().describe("highest figure measured"),
  evidence: z.string().describe("what was measured, and how"),
});
export type LimitHit = z.infer<typeof LimitHit>;

/** What a command had of the network through the filtering proxy. */
export const NetworkUse = z.strictObject({
  hosts: z.array(
    z.strictObject({
      host: z.string(),
      port: z.int(),
      connections: z.int().min(0),
      bytes_sent: z.int().min(0),
      bytes_received: z.int().min(0),
    }),
  ),
  denied: z
    .array(
      z.strictObject({
        host: z.string().nullable().describe("as the command wrote it; null: it never said"),
        port: z.int().nullable(),
        why: z.enum([
          "not_listed",
          "address_not_allowed",
          "not_tls",
          "other_server_name",
          "method_not_allowed",
          "malformed",
          "too_slow",
          "too_many_connections",
        ]),
        address: z.string().nullable().default(null).describe("the address that was not allowed"),
        attempts: z.int().min(1),
      }),
    )
    .describe("connections that were refused, up to 50 different ones"),
  unreachable: z
    .array(z.strictObject({ host: z.string(), port: z.int(), why: z.string() }))
    .describe("hosts on the list that gave no connection"),
});
export type NetworkUse = z.infer<typeof NetworkUse>;

/** One command run in the sandbox. */
export const Phase = z.strictObject({
  name: z.enum(["install", "build", "test", "run"]),
  command: z.string(),
  status: z.enum(["passed", "failed", "error", "skipped"]),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  limit: LimitHit.nullable(),
  refused: LimitHit.nullable()
    .default(null)
    .describe(
      "a limit of files that the kernel held: the command was refused more, kept within it and did not fail for it",
    ),
  usage: ResourceUsage,
  network: NetworkUse.nullable().default(null).describe("null: there was no proxy"),
  log: z.string().nullable().describe("artifact path of the full log; null: there was no command"),
});
export type Phase = z.infer<typeof Phase>;

export const TestFormat = z.enum([
  "tap",
  "junit",
  "vitest-json",
  "jest-json",
  "mocha-json",
  "node-test",
  "go-test",
  "cargo-test",
  "pytest",
]);

/** One document that a test reporter wrote. */
export const TestReportSource = z.strictObject({
  format: TestFormat,
  where: z.string().describe("`output`, or the path of a report file"),
  passed: z.int().min(0),
  failed: z.int().min(0),
  skipped: z.int().min(0),
  repeats: z
    .string()
    .nullable()
    .describe("where the document stands that told the same run already; this one is not counted then"),
});
export type TestReportSource = z.infer<typeof TestReportSource>;

/** `build-test/report.json`: complete whether the tests pass or not. */
export const BuildTestReport = z.strictObject({
  verdict: Verdict,
  code: ErrorCode.nullable().describe("why it did not pass, for example TESTS_FAILED"),
  reason: z.string().describe("one sentence for a person"),
  source_sha256: Sha256.describe("of the source archive"),
  diff_sha256: Sha256.nullable(),
  isolation: z.enum(["full", "reduced"]).describe("what the sandbox could enforce"),
  isolation_backend: z.enum(["bubblewrap", "process"]),
  not_enforced: z
    .array(NotEnforced)
    .describe(
      "with full isolation empty but for `shared memory` where no memory control group is usable (what is shared and not mapped at the moment is not counted), and `kernel memory` where that group is not of version 2 (of what the kernel holds for the command, page tables alone are counted)",
    ),
  profile: z.string(),
  profile_hash: Sha256,
  phases: z.array(Phase),
  test_format: z
    .enum([...TestFormat.options, "several", "none"])
    .describe("`none`: no report was found, the verdict rests on the exit code alone"),
  test_reports: z
    .array(TestReportSource)
    .max(500)
    .default([])
    .describe("every document that was read, from the output and from files"),
  test_problems: z
    .array(z.string())
    .max(50)
    .default([])
    .describe(
      "why the reports are no proof, for example a plan that does not match; with one the tests failed",
    ),
  test_notice: z
    .string()
    .nullable()
    .default(null)
    .describe("that no test ran, or that the exit code alone decided and how to get a report"),
  tests: z.array(TestCase).max(20_000).describe("fewer than are counted where a format only counts"),
  tests_passed: z.int().min(0),
  tests_failed: z.int().min(0),
  tests_skipped: z.int().min(0),
  first_failure: z.string().nullable().describe("excerpt of the first failure, from a test or from the log"),
  duration_ms: z.number().min(0),
});
export type BuildTestReport = z.infer<typeof BuildTestReport>;

/** `build-test/summary.json`: the report on one screen. */
export const BuildTestSummary = BuildTestReport.pick({
  verdict: true,
  code: true,
  reason: true,
  isolation: true,
  test_format: true,
  test_notice: true,
  tests_passed: true,
  tests_failed: true,
  tests_skipped: true,
  first_failure: true,
  duration_ms: true,
});
export type BuildTestSummary = z.infer<typeof BuildTestSummary>;
