import type { Found } from "#lib/graph/found.ts";
import type { Snapshot } from "#lib/graph/snapshot.ts";

const TESTS_NAMED_MAX = 3;

function ordinal(rank: number): string {
  const teen = rank % 100 >= 11 && rank % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th");
  return `${rank}${ending}`;
}

/** Sentences: which search found the chunk and at what rank, and what the graph knows of it. */
export function explain(snapshot: Snapshot, found: Found, top: number | undefined): string[] {
  const why: string[] = [];
  if (found.name !== undefined) why.push(`symbol name matches \`${found.name}\``);
  if (found.words) why.push(`${ordinal(found.words.rank)} by words: ${found.words.words.join(", ")}`);
  if (found.meaning) {
    why.push(`${ordinal(found.meaning.rank)} by meaning (cosine ${found.meaning.cosine.toFixed(2)})`);
  }
  const best = top === undefined || top === found.chunk ? undefined : snapshot.chunks[top]?.symbol;
  if (best && snapshot.calls.some(([, from, to]) => from === found.chunk && to === top)) {
    why.push(`calls \`${best}\`, the best result`);
  }
  return [...why, ...failingTests(snapshot, found.chunk)];
}

/** Failing tests of files that call the chunk, */
function failingTests(snapshot: Snapshot, chunk: number): string[] {
  const files = new Set<number>();
  for (const [file, , to] of snapshot.calls) if (to === chunk) files.add(file);
  const failing = snapshot.tests.filter(({ file, status }) => status === "failed" && files.has(file));
  return failing
    .slice(0, TESTS_NAMED_MAX)
    .map(({ name, file }) => `covered by failing test \`${name}\` in ${snapshot.files[file]?.path}`);
}
