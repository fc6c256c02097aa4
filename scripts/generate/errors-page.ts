import { ERROR_CODES } from "#lib/platform/errors/codes.ts";
import type { Disposition } from "#lib/platform/errors/fault.ts";
import { CLI_CODES } from "../../cli/codes.ts";
import { code, GENERATED_NOTE, table } from "./markdown.ts";

const DISPOSITIONS: Record<Disposition, string> = {
  retry: "May succeed next time: the work returns after a growing back-off. This costs an attempt.",
  throttle:
    "A dependency asked for fewer calls: the work returns after a slower back-off, or after the time it asked for. This costs an attempt.",
  park: "The work waits for something else, such as a live lease or an open circuit. This costs no attempt.",
  terminal: "Can never succeed: a failure record is written and the message goes to the DLQ at once.",
  reject: "The submitted work is at fault: the step ends with verdict `failed` and this code.",
};

/** docs/reference/errors.md */
export function errorsPage(): string {
  const rows = Object.entries<{ says: string; status?: number | undefined; disposition?: Disposition }>(
    ERROR_CODES,
  )
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { status, disposition, says }]) => [
      code(name),
      disposition ?? "",
      String(status ?? (disposition === "reject" ? 422 : "")),
      says,
    ]);
  return `${[
    "# Error codes",
    GENERATED_NOTE,
    "A code is stable and has one meaning. The catalogue is [lib/platform/errors/codes.ts](../../lib/platform/errors/codes.ts). The sentence that comes with an error is more exact than the one here: it names the file, the limit or the time.",
    table(["Disposition", "What happens to the work"], Object.entries(DISPOSITIONS)),
    "A code without a disposition stands in an HTTP answer, in a step's outcome or in a replay's answer; no message is moved by it. The retry policy may give a code another disposition. A code without a status is no HTTP answer by itself; a rejected input is answered 422 where a route checks it.",
    table(["Code", "Disposition", "HTTP status", "Meaning"], rows),
    "## Of the CLI",
    "`agents` shows the codes of the API, and these of its own ([cli/codes.ts](../../cli/codes.ts)):",
    table(
      ["Code", "Meaning"],
      Object.entries(CLI_CODES).map(([name, says]) => [code(name), says]),
    ),
  ].join("\n\n")}\n`;
}
