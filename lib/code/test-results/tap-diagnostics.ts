/** What a result's YAML block says; the block's lines include its `---` and `...`. */
interface TapDiagnostics {
  duration_ms: number | null;
  file: string | null;
  /** The error's message first, then what else was written, without what is told elsewhere. */
  failure: string;
}

interface Field {
  key: string;
  lines: string[];
}

/** Told by the report in fields of their own, or of no use to who reads a failure. */
const TOLD_ELSEWHERE = new Set(["duration_ms", "type", "location", "failureType"]);
const MESSAGE = "error";

/** Reads the block as node:test and tape write it: keys at one margin, values on or below their line. */
export function readDiagnostics(block: readonly string[]): TapDiagnostics {
  // tape indents its keys beyond the opening mark, node:test does not.
  const width = (block[1] ?? "").search(/\S|$/);
  const lines = block.slice(1, -1).map((line) => line.slice(Math.min(width, line.search(/\S|$/))));
  const fields = readFields(lines);
  const value = (key: string) => fields.find((field) => field.key === key);
  const duration = Number.parseFloat(plain(value("duration_ms")));
  const others = fields.filter(({ key }) => key !== MESSAGE && key !== "message" && !TOLD_ELSEWHERE.has(key));
  const message = messageOf(value(MESSAGE)) ?? plain(value("message"));
  return {
    duration_ms: Number.isFinite(duration) ? duration : null,
    file: fileOf(plain(value("location"))) ?? fileOf(plain(value("at"))),
    failure: [...(message === "" ? [] : [message]), ...others.flatMap((field) => field.lines)].join("\n"),
  };
}

function readFields(lines: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (const line of lines) {
    const key = /^([A-Za-z_][\w-]*):/.exec(line)?.[1];
    if (key !== undefined) fields.push({ key, lines: [line] });
    else if (fields.length === 0) fields.push({ key: "", lines: [line] });
    else fields.at(-1)?.lines.push(line);
  }
  return fields;
}

/** The value as text: unquoted, or the indented lines of a block scalar. */
function plain(field: Field | undefined): string {
  if (!field) return "";
  const [first = "", ...below] = field.lines;
  const inline = first.slice(first.indexOf(":") + 1).trim();
  const quoted = /^'(.*)'$/s.exec(inline)?.[1];
  if (quoted !== undefined) return quoted.replaceAll("''", "'");
  if (/^".*"$/.test(inline)) return parsedString(inline) ?? inline;
  if (inline !== "" && !/^[|>][-+]?$/.test(inline)) return inline;
  return below
    .map((line) => line.replace(/^ {1,2}/, ""))
    .join("\n")
    .trim();
}

/** The error's message; Vitest and ava write the error as fields of its own, `message` among them. */
function messageOf(field: Field | undefined): string | null {
  if (!field) return null;
  const inner = field.lines.find((line) => /^ +message: /.test(line));
  if (!inner || plain({ ...field, lines: field.lines.slice(0, 1) }) !== "") return plain(field);
  const text = inner.slice(inner.indexOf(":") + 1).trim();
  return /^".*"$/.test(text) ? (parsedString(text) ?? text) : text;
}

function parsedString(text: string): string | null {
  try {
    return String(JSON.parse(text));
  } catch {
    return null;
  }
}

/** `/tree/a.js:1:2`, also as `Test.<anonymous> (/tree/a.js:1:2)`. */
function fileOf(place: string): string | null {
  const path = /(?:^|\()(?:file:\/\/)?(\/[^()]*|[A-Za-z]:[^()]*):\d+:\d+\)?$/.exec(place)?.[1];
  return path ?? null;
}
