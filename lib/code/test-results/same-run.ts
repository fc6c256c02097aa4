import type { TestDocument } from "#lib/code/test-results/test-document.ts";
import { addCounts } from "#lib/code/test-results/test-document.ts";

/** A document, and where it stood. */
export interface PlacedDocument extends TestDocument {
  /** `output`, or the path of a report file. */
  where: string;
}

/** What one reporter told in one place: documents of one voice tell of different runs. */
interface Voice {
  documents: PlacedDocument[];
  /** Those that no other voice has repeated yet. */
  unrepeated: Set<PlacedDocument>;
}

/**
 * Which documents tell again what another one told: the same run, in another format or another place. They
 * are documents with the same number of tests passed, failed and skipped, with the same last word in each
 * test's name and about the same time in all; one may tell in one what the other tells in several. Documents of
 * the same format in the same place never repeat each other: two packages may have tests of the same names.
 * A repeat hides no failure, since what it repeats has the same.
 */
export function repeatsIn(documents: readonly PlacedDocument[]): Map<PlacedDocument, string> {
  const repeats = new Map<PlacedDocument, string>();
  const earlier: Voice[] = [];
  for (const voice of voicesOf(documents)) {
    for (const other of earlier) repeatsOf(voice, other, repeats);
    earlier.push(voice);
  }
  return repeats;
}

function voicesOf(documents: readonly PlacedDocument[]): Voice[] {
  const voices = new Map<string, PlacedDocument[]>();
  for (const document of documents) {
    const { passed, failed, skipped } = document.counts;
    if (passed + failed + skipped === 0) continue;
    const voice = `${document.where === "output" ? "output" : "file"} ${document.format}`;
    const of_voice = voices.get(voice) ?? [];
    of_voice.push(document);
    voices.set(voice, of_voice);
  }
  return [...voices.values()].map((of_voice) => ({ documents: of_voice, unrepeated: new Set(of_voice) }));
}

function repeatsOf(voice: Voice, other: Voice, repeats: Map<PlacedDocument, string>): void {
  const mark = (told: readonly PlacedDocument[], by: readonly PlacedDocument[]) => {
    for (const document of told) repeats.set(document, by[0]?.where ?? "output");
    for (const document of by) other.unrepeated.delete(document);
  };
  const by_counts = new Map<string, PlacedDocument[]>();
  for (const document of [...other.unrepeated].reverse()) {
    const key = countsKey([document]);
    const same_counts = by_counts.get(key) ?? [];
    same_counts.push(document);
    by_counts.set(key, same_counts);
  }
  for (const document of voice.documents) {
    if (repeats.has(document)) continue;
    const candidates = by_counts.get(countsKey([document])) ?? [];
    const last = candidates.length - 1;
    for (let at = last; at >= 0 && at > last - CANDIDATES_MAX; at--) {
      const candidate = candidates[at];
      if (!candidate || !sameRun([document], [candidate])) continue;
      mark([document], [candidate]);
      candidates.splice(at, 1);
      break;
    }
  }
  const left = voice.documents.filter((document) => !repeats.has(document));
  const others = [...other.unrepeated];
  const whole = left.find((document) => sameRun([document], others));
  if (whole) mark([whole], others);
  else if (sameRun(left, others)) mark(left, others);
  else {
    const single = others.find((each) => sameRun(left, [each]));
    if (single) mark(left, [single]);
  }
}

const CANDIDATES_MAX = 20;

function countsKey(documents: readonly PlacedDocument[]): string {
  const { passed, failed, skipped } = addCounts(documents);
  return `${passed} ${failed} ${skipped}`;
}

function sameRun(left: readonly PlacedDocument[], right: readonly PlacedDocument[]): boolean {
  if (left.length === 0 || right.length === 0 || countsKey(left) !== countsKey(right)) return false;
  // pytest's last line names nothing; its XML says whose it is.
  if (byPytest(left) && byPytest(right)) return true;
  if (namesAll(left) && namesAll(right)) {
    return wordsOf(left).join("\n") === wordsOf(right).join("\n") && closeInTime(left, right);
  }
  const [fewer, more] = [wordsOf(left), wordsOf(right)].sort((one, two) => one.length - two.length);
  return fewer !== undefined && more !== undefined && fewer.length > 0 && isWithin(fewer, more);
}

function byPytest(documents: readonly PlacedDocument[]): boolean {
  return documents.every(({ format, producer }) => format === "pytest" || producer === "pytest");
}

function namesAll(documents: readonly PlacedDocument[]): boolean {
  return documents.every(
    ({ tests, counts }) => tests.length === counts.passed + counts.failed + counts.skipped,
  );
}

/** Of two sorted lists: whether the second has all of the first. */
function isWithin(fewer: readonly string[], more: readonly string[]): boolean {
  let found = 0;
  for (const word of more) if (word === fewer[found]) found++;
  return found === fewer.length;
}

function wordsOf(documents: readonly PlacedDocument[]): string[] {
  return documents
    .flatMap(({ tests }) => tests.map(({ status, name }) => `${status} ${lastWord(name)}`))
    .sort();
}

function lastWord(name: string): string {
  return (
    name
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)
      ?.at(-1) ?? ""
  );
}

/** Reporters round differently, so a millisecond a test and a hundredth of the whole may differ. */
function closeInTime(left: readonly PlacedDocument[], right: readonly PlacedDocument[]): boolean {
  const sums = [left, right].map((documents) => {
    const durations = documents.flatMap(({ tests }) => tests.map(({ duration_ms }) => duration_ms));
    const known = durations.filter((duration) => duration !== null);
    return { known: known.length, tests: durations.length, ms: known.reduce((sum, each) => sum + each, 0) };
  });
  const [one, two] = sums;
  if (!one || !two || one.known < one.tests || two.known < two.tests) return true;
  return Math.abs(one.ms - two.ms) <= one.tests + Math.max(one.ms, two.ms) / 100;
}
