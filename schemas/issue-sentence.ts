import { z } from "zod";

/*
 * The one place that says what is wrong with data that a schema refuses: what is wanted, and what came. Loading this
 * file replaces Zod's own sentences in the whole process. A schema's own sentence (`.refine(…, "…")`) goes first.
 */

type RawIssue = z.core.$ZodRawIssue;
type Named = { readonly [name: string]: string };

const LISTED_MAX = 30;
const SHOWN_CHARACTERS_MAX = 60;
const FORMS_MAX = 4;

const TYPES: Named = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  bigint: "a whole number of any size",
  boolean: "true or false",
  null: "null",
  undefined: "absent",
  void: "absent",
  never: "absent",
  nan: "NaN",
  symbol: "a symbol",
  function: "a function",
  date: "a date",
  array: "a list",
  tuple: "a list",
  object: "an object",
  record: "an object",
  map: "a map",
  set: "a set",
  file: "a file",
  nonoptional: "present",
};

const FORMATS: Named = {
  email: "an email address",
  url: "a URL",
  uuid: "a UUID",
  guid: "a UUID",
  datetime: "a date and time, as in 2026-01-31T09:30:00Z",
  date: "a date, as in 2026-01-31",
  time: "a time of day, as in 09:30:00",
  duration: "an ISO 8601 duration, as in PT15M",
  ipv4: "an IPv4 address",
  ipv6: "an IPv6 address",
  mac: "a MAC address",
  cidrv4: "a range of IPv4 addresses, as in 10.0.0.0/8",
  cidrv6: "a range of IPv6 addresses, as in fd00::/8",
  base64: "text in base64",
  base64url: "text in base64url",
  json_string: "JSON",
  e164: "a telephone number, as in +15550100",
  jwt: "a JSON Web Token",
  safeint: "a whole number",
};

/** One sentence, without its subject: `must be a text; a number came`. */
function sentenceOf(issue: RawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return wrongType(issue.expected, issue.input);
    case "invalid_value":
      return `must be ${oneOf(issue.values)}; ${issue.values.length > 1 ? came(issue.input) : cameAs(issue.input)}`;
    case "too_small":
      return outOfBounds(issue, issue.minimum, ["at least", "more than"]);
    case "too_big":
      return outOfBounds(issue, issue.maximum, ["at most", "less than"]);
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}; ${came(issue.input)}`;
    case "invalid_format":
      return `must ${wantedFormat(issue)}; ${cameAs(issue.input)}`;
    case "unrecognized_keys": {
      const fields = issue.keys.length === 1 ? "an unknown field" : "unknown fields";
      return `has ${fields}: ${listed(issue.keys, ", ")}`;
    }
    case "invalid_union":
      return wrongForm(issue);
    case "invalid_key":
      return `has a name that is not allowed: ${firstMessage(issue.issues)}`;
    case "invalid_element":
      return `has an entry that is not allowed: ${firstMessage(issue.issues)}`;
    default: {
      const description = descriptionOf(issue);
      return description === undefined ? "is not allowed here" : `must be ${description}`;
    }
  }
}

z.config({ localeError: sentenceOf });

/** An issue with its field as a JSON pointer (RFC 6901): `/source/files/a.js: must be a text; a number came`. */
export function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${pointerTo(path)}: ${message}`;
}

/** The first `issues_max` issues as one text. */
export function describeIssues({ issues }: z.core.$ZodError, issues_max = 20): string {
  const more = issues.length > issues_max ? [`and ${issues.length - issues_max} more`] : [];
  return [...issues.slice(0, issues_max).map(describeIssue), ...more].join("; ");
}

export function pointerTo(path: readonly PropertyKey[]): string {
  return `/${path.map((key) => String(key).replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}`;
}

function wrongType(expected: string, input: unknown): string {
  const wanted = TYPES[expected] ?? `a ${expected}`;
  if (wanted === "absent") return `must be absent; ${cameAs(input)}`;
  if (input === undefined) return wanted === "present" ? "is missing" : `is missing; it must be ${wanted}`;
  return `must be ${wanted}; ${cameAs(input)}`;
}

interface Bounded {
  origin: string;
  inclusive?: boolean | undefined;
  exact?: boolean | undefined;
  input: unknown;
}

const UNITS: Named = { string: "character", file: "byte", array: "item", set: "item", map: "entry" };

function outOfBounds(
  { origin, inclusive = true, exact, input }: Bounded,
  limit: number | bigint,
  [closed, open]: [closed: string, open: string],
): string {
  const bound = exact ? "exactly" : inclusive ? closed : open;
  const unit = UNITS[origin];
  if (unit === undefined) {
    const wanted = origin === "date" ? new Date(Number(limit)).toISOString() : String(limit);
    return `must be ${bound} ${wanted}; ${came(input)}`;
  }
  const { length, size = length } = input as { length?: number; size?: number };
  if (size === 0) return `must not be empty: ${bound} ${amountOf(limit, unit)}`;
  return `must have ${bound} ${amountOf(limit, unit)}${size === undefined ? "" : `; it has ${size}`}`;
}

function amountOf(count: number | bigint, unit: string): string {
  if (Number(count) === 1) return `1 ${unit}`;
  return `${count} ${unit.replace(/y$/, "ie")}s`;
}

type FormatIssue = RawIssue & { code: "invalid_format" };

function wantedFormat(issue: FormatIssue): string {
  const { format, prefix, suffix, includes, pattern } = issue as FormatIssue & Record<string, unknown>;
  if (format === "starts_with") return `begin with ${shown(prefix)}`;
  if (format === "ends_with") return `end with ${shown(suffix)}`;
  if (format === "includes") return `contain ${shown(includes)}`;
  const known = FORMATS[format] ?? descriptionOf(issue);
  if (known !== undefined) return `be ${known}`;
  const has_pattern_only = format === "regex" || format === "template_literal";
  return has_pattern_only ? `match the pattern ${String(pattern)}` : `be in the format ${format}`;
}

function wrongForm(issue: RawIssue & { code: "invalid_union" }): string {
  if (issue.inclusive === false) return "fits several of the allowed forms, and must fit one";
  const { discriminator, options, input } = issue;
  if (discriminator !== undefined && options?.length) {
    return `must be ${oneOf(options)}; ${came((input as Record<string, unknown> | undefined)?.[discriminator])}`;
  }
  if (input === undefined) return "is missing";
  const faults = issue.errors.flatMap(([first]) => (first ? [describeIssue(first)] : []));
  const forms = [...new Set(faults)];
  if (forms.length === 0) return "fits none of the allowed forms";
  const more = forms.length > FORMS_MAX ? ["…"] : [];
  return `fits none of the allowed forms (${[...forms.slice(0, FORMS_MAX), ...more].join(", or ")})`;
}

function firstMessage(issues: readonly z.core.$ZodIssue[]): string {
  return issues[0]?.message ?? "is not allowed here";
}

/** What a schema says of itself (`.describe()`), when the issue is of a check of that schema. */
function descriptionOf({ schema, inst }: RawIssue): string | undefined {
  const owner = schema ?? (inst instanceof z.core.$ZodType ? inst : undefined);
  return owner && z.globalRegistry.get(owner)?.description;
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? shown(values[0]) : `one of ${listed(values, ", ")}`;
}

function listed(values: readonly unknown[], separator: string): string {
  const more = values.length > LISTED_MAX ? [`and ${values.length - LISTED_MAX} more`] : [];
  return [...values.slice(0, LISTED_MAX).map(shown), ...more].join(separator);
}

/** The value itself where it is short and plain, else its type. */
function came(input: unknown): string {
  if (input === undefined) return "nothing came";
  const plain = input === null || ["string", "number", "boolean", "bigint"].includes(typeof input);
  if (input instanceof Date && !Number.isNaN(+input)) return `${input.toISOString()} came`;
  return plain ? `${shown(input)} came` : cameAs(input);
}

/** The type of the value only: what fails a pattern, or is not the one word expected, may be a secret. */
function cameAs(input: unknown): string {
  if (input === undefined) return "nothing came";
  if (typeof input === "string") return `a text of ${amountOf(input.length, "character")} came`;
  if (typeof input === "number") return `${Number.isSafeInteger(input) ? "a number" : String(input)} came`;
  if (input instanceof Date) return `${Number.isNaN(+input) ? "no date" : "a date"} came`;
  const type = z.core.util.parsedType(input).toLowerCase();
  return `${TYPES[type] ?? "an object"} came`;
}

function shown(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const text = value.length > SHOWN_CHARACTERS_MAX ? `${value.slice(0, SHOWN_CHARACTERS_MAX)}…` : value;
  return JSON.stringify(text.toWellFormed());
}
