/** A piece of a line: plain text, or with one meaning. `to` of a link is as it is written. */
export type Inline =
  | { kind: "text" | "code" | "strong"; text: string }
  | { kind: "link"; text: string; to: string };

export type Block =
  | { kind: "heading" | "paragraph"; parts: Inline[] }
  | { kind: "steps"; items: Inline[][] }
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] };

/** Reads the Markdown that runbooks use: headings, paragraphs, numbered steps, tables, `code`, **strong** and links. */
export function parseRunbook(text: string): Block[] {
  return text
    .split(/\n{2,}/)
    .map((chunk) => chunk.trim())
    .filter((chunk) => chunk !== "")
    .map(parseBlock);
}

function parseBlock(chunk: string): Block {
  if (chunk.startsWith("#")) return { kind: "heading", parts: parseInline(chunk.replace(/^#+\s*/, "")) };
  if (chunk.startsWith("|")) {
    const [head = [], , ...rows] = chunk.split("\n").map(cellsOf);
    return { kind: "table", head, rows };
  }
  if (/^\d+\. /.test(chunk)) {
    const items = chunk.split(/\n(?=\d+\. )/).map((item) => parseInline(item.replace(/^\d+\. /, "")));
    return { kind: "steps", items };
  }
  return { kind: "paragraph", parts: parseInline(chunk) };
}

function cellsOf(row: string): Inline[][] {
  const cells = row.trim().replace(/^\|/, "").replace(/\|$/, "");
  return cells.split("|").map((cell) => parseInline(cell.trim()));
}

const MARKED = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g;

function parseInline(source: string): Inline[] {
  const text = source.replace(/\s*\n\s*/g, " ");
  const parts: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(MARKED)) {
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    const [whole, code, strong, label, to] = match;
    if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (strong !== undefined) parts.push({ kind: "strong", text: strong.replaceAll("`", "") });
    else parts.push({ kind: "link", text: label ?? "", to: to ?? "" });
    end = match.index + whole.length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}
