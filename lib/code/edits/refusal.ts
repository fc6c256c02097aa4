import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import type { NearbyLines } from "#schemas/edits.ts";

export type EditCode = Extract<ErrorCode, `EDIT${string}`>;

/** Why an edit is refused, or a file is not shown. */
export interface Refusal {
  code: EditCode;
  /** Sentences for the model: what is wrong and what to do. */
  message: string;
  nearby?: NearbyLines[];
}

/** Makes a refusal; callers return it, since refusing an edit is no failure of the work. */
export function refuse(code: EditCode, message: string, nearby: NearbyLines[] = []): { refusal: Refusal } {
  return { refusal: { code, message, nearby } };
}

export function isRefused<Result extends object>(
  result: Result | { refusal: Refusal },
): result is { refusal: Refusal } {
  return "refusal" in result;
}

export function changesNothing(
  path: string,
  because: string,
  nearby: NearbyLines[] = [],
): { refusal: Refusal } {
  return refuse(
    "EDIT_CHANGES_NOTHING",
    `The edit leaves ${quoted(path)} as it is: ${because}. Leave it out, or say what is to be different.`,
    nearby,
  );
}

/** A path or a short text as a message names it. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
