import { z } from "zod";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import { BuildTestReport } from "#schemas/artifacts/build-test-report.ts";
import type { CodegenInput } from "#schemas/messages/codegen.ts";
import type { CoderInput } from "#schemas/messages/coder.ts";
import { BlobRef } from "#schemas/primitives.ts";

/** What an earlier round changed, and how that failed. */
const TriedRound = z.strictObject({
  round: z.int().min(0),
  diff: BlobRef,
  /** In the words of whoever made the change. */
  intent: z.string(),
  reason: z.string(),
  failed_tests: z.array(z.string()),
});
type TriedRound = z.infer<typeof TriedRound>;

export interface Evidence {
  /** For the model. */
  text: string;
  /** What the files are ranked by, beside the task's words. */
  words: string;
  tried: TriedRound[];
  previous_diff: Buffer;
}

/** What a round is told of the one before. */
export type RoundBefore = Pick<CodegenInput, "round" | "previous_diff" | "report" | "memory"> &
  Pick<CoderInput, "refusal">;

/** Kept between rounds: the rounds before the last, and what the last one meant to do. */
const Memory = z.strictObject({ tried: z.array(TriedRound), intent: z.string() });

export function writeMemory(
  memory: z.infer<typeof Memory>,
  blobs: Pick<BlobStore, "write">,
): Promise<BlobRef> {
  return blobs.write(JSON.stringify(memory), "application/json");
}

const TESTS_MAX = 8;
const NAMES_MAX = 50;
const FAILURE_CHARACTERS_MAX = 1500;
const DIFF_CHARACTERS_MAX = 12_000;

/**
 * What a repair round knows of those before it: the failing tests with their messages, the previous diff, and what was
 * tried before that. Undefined in the first round.
 */
export async function readEvidence(
  { round, previous_diff, report, memory, refusal }: RoundBefore,
  blobs: Pick<BlobStore, "read" | "readText">,
): Promise<Evidence | undefined> {
  if (round === 0 || !previous_diff || !report) return undefined;
  const found = BuildTestReport.parse(JSON.parse(await blobs.readText(report)));
  const before = memory ? Memory.parse(JSON.parse(await blobs.readText(memory))) : { tried: [], intent: "" };
  const diff = await blobs.read(previous_diff);
  const failed = found.tests.filter(({ status }) => status === "failed");
  const last: TriedRound = {
    round: round - 1,
    diff: previous_diff,
    intent: before.intent,
    reason: found.reason,
    failed_tests: failed.slice(0, NAMES_MAX).map(({ name }) => name),
  };
  // A refused round remembers the last tested one already.
  const earlier = refusal ? before.tried.slice(0, -1) : before.tried;
  const failures = failed.slice(0, TESTS_MAX).map(({ name, file, failure }) => {
    return `- ${name}${file === null ? "" : ` (${file})`}\n${fenced(failure ?? "no message")}`;
  });
  const log = found.first_failure ?? "nothing was written";
  const text = [
    `Your previous change was tested, and did not pass: ${found.reason}.`,
    "It is in the files already: edit them further, so that the tests pass.",
    "",
    ...(failures.length > 0 ? ["Failing tests:", "", ...failures] : ["The output:", "", fenced(log)]),
    ...(failed.length > failures.length
      ? [`… and ${failed.length - failures.length} more failing tests`]
      : []),
    "",
    "Your previous change, as a diff against the source:",
    "",
    fenced(cut(diff.toString("utf8"), DIFF_CHARACTERS_MAX)),
    ...earlier.map(
      ({ round: at, intent, reason }) => `Round ${at} before that: ${oneLine(intent)} It failed: ${reason}.`,
    ),
  ].join("\n");
  return {
    text: redactSecrets(text),
    words: [...failed.map(({ name, failure }) => `${name} ${failure ?? ""}`), log].join("\n").slice(0, 4000),
    tried: [...earlier, last],
    previous_diff: diff,
  };
}

/** What a round is told of a change that was refused before it was tested. Nothing of it is in the tree. */
export async function readRefusal(
  { code, message }: { code: string; message: string },
  refused_diff: BlobRef | undefined,
  blobs: Pick<BlobStore, "readText">,
): Promise<string> {
  const diff = refused_diff && (await blobs.readText(refused_diff));
  const text = [
    `Your last change was refused, and was not tested: ${message} (${code})`,
    "Nothing of it is in the files: they are as they were before it. Make the change again, without what is refused.",
    ...(diff ? ["", "The refused change, as a diff against the source:", "", fenced(diff)] : []),
  ].join("\n");
  return redactSecrets(text);
}

function fenced(text: string): string {
  const plain = cut(
    text,
    Math.max(FAILURE_CHARACTERS_MAX, text.startsWith("diff ") ? DIFF_CHARACTERS_MAX : 0),
  );
  const longest = Math.max(2, ...(plain.match(/`{3,}/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${plain.trimEnd()}\n${fence}`;
}

function cut(text: string, characters_max: number): string {
  return text.length <= characters_max ? text : `${text.slice(0, characters_max).toWellFormed()}\n… (cut)`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 300);
}

const DIFF_PATH = /^diff --git (?:"?a\/)(.+?)"? "?b\//gm;

/** The files that a canonical diff changes. */
export function pathsIn(diff: Buffer): Set<string> {
  return new Set([...diff.toString("utf8").matchAll(DIFF_PATH)].map(([, path = ""]) => path));
}
