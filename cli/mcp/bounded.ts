/** How much of a document is kept: characters of a text, entries of a list or of an object. */
interface Bounds {
  characters: number;
  entries: number;
}

/** From generous to narrow. The first that makes the document short enough is taken. */
const BOUNDS: readonly Bounds[] = [
  { characters: 20_000, entries: 500 },
  { characters: 4_000, entries: 200 },
  { characters: 1_000, entries: 100 },
  { characters: 300, entries: 40 },
  { characters: 100, entries: 15 },
  { characters: 60, entries: 6 },
];
const DEPTH_MAX = 12;

/** The longest answer of a tool, as JSON text. A client puts it into a model's context as it is. */
const ANSWER_CHARACTERS_MAX = 60_000;

/**
 * The document, shortened so that its JSON has at most `characters_max` characters (1,000 or more). Each cut says how much
 * is missing: in a text at its end, in a list as its last entry, in an object as its last field.
 */
export function bounded(document: unknown, characters_max = ANSWER_CHARACTERS_MAX): unknown {
  const fits = (value: unknown) => (JSON.stringify(value) ?? "").length <= characters_max;
  if (fits(document)) return document;
  for (const bounds of BOUNDS) {
    const shorter = cut(document, bounds, 0);
    if (fits(shorter)) return shorter;
  }
  const text = JSON.stringify(document);
  // Quotes and control characters grow when the text becomes part of JSON again, up to six times.
  const kept = text.slice(0, Math.floor(characters_max / 7));
  return { cut: `${kept}… ${text.length - kept.length} more characters of JSON` };
}

function cut(value: unknown, bounds: Bounds, depth: number): unknown {
  if (typeof value === "string") return cutText(value, bounds.characters);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return cutText(JSON.stringify(value), bounds.characters);
  const within = (part: unknown) => cut(part, bounds, depth + 1);
  if (Array.isArray(value)) {
    const kept = value.slice(0, bounds.entries).map(within);
    return kept.length === value.length ? kept : [...kept, `… ${value.length - kept.length} more entries`];
  }
  const fields = Object.entries(value);
  const kept = fields.slice(0, bounds.entries).map(([name, part]) => [cutText(name, 200), within(part)]);
  if (kept.length < fields.length) kept.push(["…", `${fields.length - kept.length} more fields`]);
  return Object.fromEntries(kept);
}

function cutText(text: string, characters: number): string {
  if (text.length <= characters) return text;
  return `${text.slice(0, characters).toWellFormed()}… ${text.length - characters} more characters`;
}
