import type { LogCode } from "#lib/platform/log/codes.ts";

/** One structured line: a stable code, a sentence, and typed fields an operator can query. */
export interface Log {
  info(code: LogCode, sentence: string, fields?: Record<string, unknown>): void;
  warn(code: LogCode, sentence: string, fields?: Record<string, unknown>): void;
  error(code: LogCode, sentence: string, fields?: Record<string, unknown>): void;
  /** A log whose every line carries these fields too. */
  with(fields: Record<string, unknown>): Log;
}
