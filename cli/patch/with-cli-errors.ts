import { Fault } from "#lib/platform/errors/fault.ts";
import { CliError } from "../cli-error.ts";
import type { CliCode } from "../codes.ts";
import { exitCode } from "../exit-code.ts";

/** Does work of the diff engine. What it refuses keeps its code, which is one of the API's. */
export async function withCliErrors<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new CliError(exitCode.failed, cause.code as CliCode, cause.message, { cause });
  }
}
