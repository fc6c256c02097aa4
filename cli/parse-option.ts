import { InvalidArgumentError } from "commander";
import { Scope, Scopes } from "#schemas/records/api-key.ts";
import { parseSpan } from "./parse-span.ts";

/** A whole number in a range, both ends included, for commander's option parsing. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() === "" || !Number.isInteger(number) || number < least || number > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;

/** A point in time as the API takes it: a date, an instant, or a span before now such as `1d`. */
export function moment(text: string, now_ms: number): string {
  if (INSTANT.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  try {
    return new Date(now_ms - parseSpan(text)).toISOString();
  } catch {
    throw new InvalidArgumentError("Give a span such as 12h or 1d, a date, or an RFC 3339 instant.");
  }
}

/** The same for commander's option parsing. */
export function momentOption(text: string): string {
  return moment(text, Date.now());
}

/** A span such as `30d`, in ms, for commander's option parsing. */
export function spanOption(text: string): number {
  try {
    return parseSpan(text);
  } catch {
    throw new InvalidArgumentError("Give a span such as 30d or 12h.");
  }
}

/** `submit,read` as scopes, for commander's option parsing. */
export function scopesOption(text: string): Scope[] {
  const parsed = Scopes.safeParse(text.split(",").map((name) => name.trim()));
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`Give each scope once, with commas between: ${Scope.options.join(", ")}.`);
}
