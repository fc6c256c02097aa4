import type { LogCode } from "#lib/platform/log/codes.ts";
import type { Log } from "#lib/platform/log/log.ts";

/** A log that prints one JSON object a line on standard output, as CloudWatch Logs Insights reads it. */
export function jsonLog(
  bound: Record<string, unknown>,
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Log {
  const at = (level: string) => (code: LogCode, message: string, fields?: Record<string, unknown>) =>
    write(JSON.stringify({ at: new Date().toISOString(), level, code, message, ...bound, ...fields }));
  return {
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => jsonLog({ ...bound, ...fields }, write),
  };
}
