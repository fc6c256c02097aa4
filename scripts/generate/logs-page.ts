import { LOG_CODES } from "#lib/platform/log/codes.ts";
import { code, GENERATED_NOTE, table } from "./markdown.ts";

/** docs/reference/logs.md */
export function logsPage(): string {
  return `${[
    "# Log codes",
    GENERATED_NOTE,
    "Each log line is a JSON object with a stable `code`, a sentence and fields. The catalogue is [lib/platform/log/codes.ts](../../lib/platform/log/codes.ts). `error_code` in a line is one of the [error codes](errors.md).",
    table(
      ["Code", "Meaning"],
      Object.entries(LOG_CODES).map(([name, says]) => [code(name), says]),
    ),
  ].join("\n\n")}\n`;
}
