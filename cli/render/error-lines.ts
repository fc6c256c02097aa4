import type { CliError } from "../cli-error.ts";
import type { Paint } from "./paint.ts";

/** What went wrong, what to do, and the ids an operator asks for. */
export function errorLines(error: CliError, paint: Paint): string[] {
  const ids = [error.code, error.trace_id ? `trace ${error.trace_id}` : ""].filter((id) => id !== "");
  return [
    `${paint.red("!")} ${error.message}`,
    ...error.hints.map((hint) => `  ${hint}`),
    paint.dim(`  ${ids.join("  ")}`),
  ];
}
