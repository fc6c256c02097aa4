import { atLineStart, scanJson } from "#lib/code/test-results/json-documents.ts";
import { cutReport } from "#lib/code/test-results/json-reports.ts";
import { junitAt, ROOT } from "#lib/code/test-results/junit.ts";
import { addDocument, type TestDocument } from "#lib/code/test-results/test-document.ts";
import { forwardSearch } from "#lib/code/test-results/text-search.ts";

interface DocumentsInText {
  junit: TestDocument[];
  /** JSON values, of reports and of anything else. */
  json: unknown[];
  /** JSON reports that are cut off or broken. */
  broken: TestDocument[];
  /** The text with a line end in place of each document. */
  rest: string;
}

/** What the current position of a reader is: that decides what may begin there. */
type Place = "line start" | "behind a document" | "within a line";

/** What JSON reports and events begin with, so that they are found behind output that did not end its line. */
const REPORT_HEAD =
  /\{\s{0,20}"(?:num[A-Z]\w{0,40}"\s{0,4}:|stats"\s{0,4}:\s{0,4}\{|(?:Time|Action|ImportPath|Package)"\s{0,4}:\s{0,4}")|\[\s{0,20}"(?:start|pass|fail|end)"\s{0,4},\s{0,4}\{/g;
const XML_DECLARATION = /<\?xml\s/g;
const LINE_END = /\r\n|\n|\r/g;

/**
 * JUnit XML and JSON among other output: each begins at the start of a line (XML also behind blanks), or on the line on which
 * another one ended; reports in JSON and XML with its declaration also behind any other text. What belongs to one document is not looked at for another.
 * Every character is looked at a fixed number of times.
 */
export function documentsInText(text: string): DocumentsInText {
  const reader = new DocumentReader(text);
  reader.readAll();
  return reader.found;
}

class DocumentReader {
  readonly found: DocumentsInText = { junit: [], json: [], broken: [], rest: "" };
  readonly #text: string;
  readonly #rest: string[] = [];
  readonly #nextLineEnd: ReturnType<typeof forwardSearch>;
  readonly #nextReportHead: ReturnType<typeof forwardSearch>;
  readonly #nextRoot: ReturnType<typeof forwardSearch>;
  readonly #nextDeclaration: ReturnType<typeof forwardSearch>;
  readonly #junitAt: ReturnType<typeof junitAt>;
  #kept = 0;
  #position = 0;
  #place: Place = "line start";

  constructor(text: string) {
    this.#text = text;
    this.#nextLineEnd = forwardSearch(text, LINE_END);
    this.#nextReportHead = forwardSearch(text, REPORT_HEAD);
    this.#nextRoot = forwardSearch(text, ROOT);
    this.#nextDeclaration = forwardSearch(text, XML_DECLARATION);
    this.#junitAt = junitAt(text);
  }

  readAll(): void {
    while (this.#position < this.#text.length) {
      if (!this.#readHere() && !this.#readNext()) break;
    }
    this.#rest.push(this.#text.slice(this.#kept));
    this.found.rest = this.#rest.join("");
  }

  /** Reads what begins at the current position. False when nothing does. */
  #readHere(): boolean {
    if (this.#place === "within a line") return false;
    const start = skipLineBlanks(this.#text, this.#position);
    const character = this.#text[start];
    if (character === "<") return this.#readXml(start);
    if (character !== "{" && character !== "[") return false;
    const allowed =
      this.#place === "behind a document" ||
      start === this.#position ||
      this.#text[start - 1] === BYTE_ORDER_MARK;
    if (allowed) this.#readJson(start);
    return allowed;
  }

  /** Goes to the next place where a document may begin. False when there is none. */
  #readNext(): boolean {
    const line_end = this.#nextLineEnd(this.#position);
    const head = this.#nextReportHead(this.#position);
    const declaration = this.#nextDeclaration(this.#position);
    const root = this.#place === "behind a document" ? this.#nextRoot(this.#position) : declaration;
    const nearest = Math.min(line_end.start, head.start, root.start, declaration.start);
    if (nearest === Number.POSITIVE_INFINITY) return false;
    if (nearest === root.start || nearest === declaration.start) {
      // A declaration that is cut off: it is looked at no more.
      if (!this.#readXml(nearest)) this.#position = nearest + 1;
    } else if (nearest === head.start) this.#readJson(nearest);
    else {
      this.#position = line_end.end;
      this.#place = "line start";
    }
    return true;
  }

  /** True when a document was read, or at least what may stand before one. */
  #readXml(start: number): boolean {
    const { document, end } = this.#junitAt(start);
    if (document) {
      addDocument(this.found.junit, document);
      this.#take(start, end);
      this.#place = "behind a document";
    } else if (end > start) this.#place = "line start";
    this.#position = Math.max(end, this.#position);
    return end > start;
  }

  #readJson(start: number): void {
    const { complete, end, broken } = scanJson(this.#text, start);
    let unreadable = broken;
    let taken = false;
    for (const span of complete) {
      const value = parsed(this.#text.slice(span.start, span.end));
      if (value === undefined) unreadable = true;
      else if (mayReport(value)) {
        taken = true;
        this.found.json.push(value);
        this.#take(span.start, span.end);
      }
    }
    const cut = unreadable
      ? cutReport(this.#text.slice(start, Math.min(end, start + HEAD_CHARACTERS)))
      : null;
    if (cut) addDocument(this.found.broken, cut);
    if (broken) this.#continueBehindBroken(start, end);
    else {
      this.#position = end;
      this.#place = taken ? "behind a document" : "within a line";
    }
  }

  /** What ended the JSON may be the start of a line, where another document may begin. */
  #continueBehindBroken(start: number, end: number): void {
    let position = Math.max(end, start + 1);
    while (position > start + 1 && isLineBlank(this.#text[position - 1])) position--;
    this.#place = atLineStart(this.#text, position) ? "line start" : "within a line";
    this.#position = position;
  }

  #take(start: number, end: number): void {
    this.#rest.push(this.#text.slice(this.#kept, start), "\n");
    this.#kept = end;
  }
}

const BYTE_ORDER_MARK = "\ufeff";
const HEAD_CHARACTERS = 200;

function isLineBlank(character: string | undefined): boolean {
  return character === " " || character === "\t" || character === BYTE_ORDER_MARK;
}

function skipLineBlanks(text: string, from: number): number {
  let index = from;
  while (isLineBlank(text[index])) index++;
  return index;
}

/** `[0] ` in front of a line says where the line comes from. */
function mayReport(value: unknown): boolean {
  return !Array.isArray(value) || value.some((item) => typeof item === "object" || typeof item === "string");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
