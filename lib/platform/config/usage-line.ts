/** What a coding agent says that it used; every field that it does not say is absent. Tokens, and USD. */
export interface StatedUse {
  tokens?: number;
  input_tokens?: number;
  cached_input_tokens?: number;
  output_tokens?: number;
  usd?: number;
}

const USE_FIELDS = [
  "tokens",
  "input_tokens",
  "cached_input_tokens",
  "output_tokens",
  "usd",
] as const satisfies (keyof StatedUse)[];
type UseField = (typeof USE_FIELDS)[number];

/** A part of a form: a text as it stands, a number, or (`*`) any characters up to the next text. */
type Part = { text: string } | { field: UseField | "*" };

const PLACEHOLDER = /\{([a-z_]+|\*)\}/g;

/** Characters that `{*}` stands for at most, which keeps the search linear. */
const ANY_CHARACTERS_MAX = 200;
const NUMBER = /[0-9](?:[0-9]|[,_](?=[0-9]{3}))*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?/y;
const NUMBER_CHARACTERS_MAX = 40;
const MULTIPLES: Readonly<Record<string, number>> = { k: 1e3, K: 1e3, m: 1e6, M: 1e6 };
/** No use that is larger is believed. */
const LARGEST: Readonly<Record<UseField, number>> = {
  ...{ tokens: 1e12, input_tokens: 1e12, cached_input_tokens: 1e12, output_tokens: 1e12 },
  usd: 1e6,
};

/** One sentence for each fault of a form in `usage.lines` of an agent's entry. */
export function usageLineFaults(form: string): string[] {
  const faults: string[] = [];
  const parts = partsOf(form);
  const names = [...form.matchAll(PLACEHOLDER)].map(([, name = ""]) => name);
  for (const name of names) {
    if (name === "*" || USE_FIELDS.some((field) => field === name)) continue;
    faults.push(`has {${name}}: there are ${[...USE_FIELDS, "*"].map((one) => `{${one}}`).join(", ")} only`);
  }
  if (!names.some((name) => name !== "*")) faults.push("names no number, such as {input_tokens}");
  if (parts[0] && "field" in parts[0]) faults.push("begins with a placeholder: begin with a text");
  if (parts.some((part, place) => place > 0 && "field" in part && "field" in (parts[place - 1] ?? part))) {
    faults.push("has two placeholders without a text between them");
  }
  return faults;
}

/**
 * Adds up what a text says in any of these forms, at every place where one matches. A form matches within one line; a
 * number may have thousands separators, a fraction, an exponent, and `k` or `M` after it. Undefined where none matches.
 */
export function readUsageLines(text: string, forms: readonly string[]): StatedUse | undefined {
  const parsed = forms.map(partsOf);
  let sum: StatedUse | undefined;
  for (const line of text.split(/\r?\n/)) {
    for (const parts of parsed) {
      for (const use of matchesIn(line, parts)) sum = plusUse(sum, use);
    }
  }
  return sum;
}

export function plusUse(sum: StatedUse | undefined, use: StatedUse): StatedUse {
  const total: StatedUse = { ...sum };
  for (const field of USE_FIELDS) {
    const more = use[field];
    if (more !== undefined) total[field] = Math.min(LARGEST[field], (total[field] ?? 0) + more);
  }
  return total;
}

function partsOf(form: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const found of form.matchAll(PLACEHOLDER)) {
    if (found.index > from) parts.push({ text: form.slice(from, found.index) });
    parts.push({ field: found[1] as UseField | "*" });
    from = found.index + found[0].length;
  }
  if (from < form.length) parts.push({ text: form.slice(from) });
  return parts;
}

function* matchesIn(line: string, parts: readonly Part[]): Generator<StatedUse> {
  const [first] = parts;
  if (!first || !("text" in first)) return;
  for (let at = line.indexOf(first.text); at >= 0; ) {
    const match = matchAt(line, at, parts);
    if (match) yield match.use;
    at = line.indexOf(first.text, match ? match.end : at + 1);
  }
}

function matchAt(
  line: string,
  start: number,
  parts: readonly Part[],
): { use: StatedUse; end: number } | undefined {
  const use: StatedUse = {};
  let at = start;
  for (const [place, part] of parts.entries()) {
    if ("text" in part) {
      if (!line.startsWith(part.text, at)) return undefined;
      at += part.text.length;
    } else if (part.field === "*") {
      const next = parts[place + 1];
      const text = next && "text" in next ? next.text : "";
      const found = line.slice(at, at + ANY_CHARACTERS_MAX + text.length).indexOf(text);
      if (found < 0) return undefined;
      at += found;
    } else {
      const number = numberAt(line, at);
      if (!number) return undefined;
      use[part.field] = plusUse({ [part.field]: use[part.field] }, { [part.field]: number.value })[
        part.field
      ];
      at = number.end;
    }
  }
  return { use, end: at };
}

function numberAt(line: string, at: number): { value: number; end: number } | undefined {
  NUMBER.lastIndex = 0;
  const [digits] = NUMBER.exec(line.slice(at, at + NUMBER_CHARACTERS_MAX)) ?? [];
  if (digits === undefined) return undefined;
  const end = at + digits.length;
  const multiple = MULTIPLES[line[end] ?? ""];
  const value = Number(digits.replaceAll(/[,_]/g, "")) * (multiple ?? 1);
  return Number.isFinite(value) ? { value, end: multiple ? end + 1 : end } : undefined;
}
