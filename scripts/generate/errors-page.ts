import type { ErrorCodes, ErrorUse } from "./error-codes.ts";
import { code, GENERATED_NOTE, table } from "./markdown.ts";

const MEANINGS: Record<string, string> = {
  retry: "might work next time: comes back after a growing back-off and costs an attempt",
  throttle:
    "a dependency asked us to slow down: a slower back-off, or the one it asked for; costs an attempt",
  park: "waits for someone else (a live lease, an open circuit) and costs no attempt",
  terminal: "cannot ever work: failure record and DLQ at once",
  reject: "the submitted work is at fault: the step ends with verdict `failed` and this code",
};

/** docs/reference/errors.md */
export function errorsPage(codes: ErrorCodes): string {
  const rows = [...codes].map(([name, uses]) => [
    code(name),
    unique(uses.map(({ disposition }) => disposition ?? "")).join(", ") || "answer",
    unique(uses.map(({ sentence }) => escapeAngles(sentence))).join("<br>"),
    unique(uses.map(({ file }) => file))
      .map((file) => `[${file}](../../${file})`)
      .join("<br>"),
  ]);
  return `${[
    "# Error codes",
    GENERATED_NOTE,
    "A code is stable and means one thing. `<name>` in a sentence is filled in when it happens.",
    table(
      ["Disposition", "What becomes of the work"],
      [
        ...Object.entries(MEANINGS),
        ["answer", "stands in an HTTP answer or a report; no message is moved by it"],
      ],
    ),
    table(["Code", "Disposition", "Says", "Comes from"], rows),
  ].join("\n\n")}\n`;
}

/** Codes that ask for different things at different places: one of them needs a name of its own. */
export function ambiguousCodes(codes: ErrorCodes): { name: string; uses: ErrorUse[] }[] {
  return [...codes]
    .map(([name, uses]) => ({ name, uses: uses.filter(({ disposition }) => disposition) }))
    .filter(({ uses }) => unique(uses.map(({ disposition }) => disposition ?? "")).length > 1);
}

function unique(texts: string[]): string[] {
  return [...new Set(texts.filter((text) => text !== ""))];
}

function escapeAngles(sentence: string): string {
  return sentence.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
