import type { Log } from "#lib/platform/log/log.ts";

/** The stack's own JSON lines, beside those of the handlers in `stack.log`. */
export function stackLog(
  fields: Record<string, unknown> = {},
  write: (line: string) => void = console.log,
): Log {
  const line =
    (level: string) =>
    (code: string, message: string, more: Record<string, unknown> = {}) =>
      write(
        JSON.stringify({
          level,
          time: new Date().toISOString(),
          service: "local-stack",
          code,
          message,
          ...fields,
          ...more,
        }),
      );
  return {
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    with: (more) => stackLog({ ...fields, ...more }, write),
  };
}
