/** What a shell or a pipeline learns from the CLI. Documented in `agents --help`. */
export const exitCode = {
  passed: 0,
  failed: 1,
  usage: 2,
  error: 3,
  unreachable: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
