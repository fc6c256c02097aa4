import type { CliCode } from "./codes.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";

interface CliErrorOptions {
  /** Sentences that say what to do. */
  hints?: string[];
  trace_id?: string;
  cause?: unknown;
}

/** Anything that ends a command early: the exit code, a stable code, and sentences for a person. */
export class CliError extends Error {
  readonly exit_code: ExitCode;
  /** The CLI's own; of a `ProblemError`, the API's. */
  readonly code: string;
  readonly hints: string[];
  readonly trace_id: string | undefined;

  constructor(exit_code: ExitCode, code: CliCode, message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.exit_code = exit_code;
    this.code = code;
    this.hints = options.hints ?? [];
    this.trace_id = options.trace_id;
  }
}

/** The command line is wrong: exit code 2. */
export class UsageError extends CliError {
  constructor(message: string, ...hints: string[]) {
    super(exitCode.usage, "USAGE", message, { hints });
  }
}

/** No answer came from the API: exit code 4. Worth another try while waiting for a task. */
export class Unreachable extends CliError {
  constructor(message: string, hints: string[], cause?: unknown) {
    super(exitCode.unreachable, "UNREACHABLE", message, { hints, cause });
  }
}

/** Whatever was thrown, as an error of the CLI: `UNEXPECTED` when it is none. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const hints = process.env.DEBUG ? [stack ?? ""] : ["Set DEBUG=1 to see where."];
  return new CliError(exitCode.error, "UNEXPECTED", message, { hints, cause: error });
}
