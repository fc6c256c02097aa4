import type { EditOutcome } from "#schemas/edits.ts";

/**
 * What is said to the model about the refused edits: each with its code, why, and the nearby lines, then the
 * files that it is asked to send whole. Empty when nothing was refused.
 */
export function tellRefusals(_outcome: EditOutcome): string {
  throw new Error("not written yet");
}

/** The text form, as a model without tool calls is told to write it; docs/reference/edits.md has the same. */
export const TEXT_FORM = "";
