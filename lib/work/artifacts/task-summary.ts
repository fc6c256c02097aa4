import { z } from "zod";
import { carriedBlob, inlineBytes } from "#lib/platform/blobs/inline-blob.ts";
import { counted, dollars, markdownCode, markdownText } from "#lib/work/artifacts/markdown-text.ts";
import type { Ledger } from "#lib/work/tasks/task-store.ts";
import { BuildtestOutput, FAILED_TESTS_NAMED } from "#schemas/messages/buildtest.ts";
import { CodegenOutput } from "#schemas/messages/codegen.ts";
import { AgentUse } from "#schemas/messages/coder.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { StepRecord } from "#schemas/records/step.ts";

export const SUMMARY_PATH = "codegen/summary.md";

/** What is read of the outputs. A workflow may have other agents, whose outputs are not these. */
const Change = CodegenOutput.pick({
  files_changed: true,
  insertions: true,
  deletions: true,
}).strip();
const Tests = BuildtestOutput.pick({
  tests_passed: true,
  tests_failed: true,
  tests_skipped: true,
  failed_tests: true,
}).strip();

/** Of a step that made a change, or could not: what its task spent on models up to it, and whether its agent stated its use. */
const Use = z.looseObject({
  spent: CodegenOutput.shape.spent.catch(undefined),
  run: z.looseObject({ use: AgentUse.nullable() }).optional().catch(undefined),
});

/** One try: the change and what its tests said. */
interface Round {
  round: number;
  change: z.infer<typeof Change> | undefined;
  /** On models, up to this round; undefined where nothing is known of it. */
  spent: z.infer<typeof CodegenOutput>["spent"];
  /** False for a coding agent that did not state what this round used. */
  is_stated: boolean;
  tests: z.infer<typeof Tests> | undefined;
  /** Why it did not pass. */
  reason: string | undefined;
  has_passed: boolean;
}

/**
 * The summary of the kept round with what became of it: how it was verified, and every round. It follows from the
 * ledger alone, so it costs no request. Undefined where the round's own text does not travel in the ledger.
 */
export function fullSummary(ledger: Ledger, kept: StepRecord, own: BlobRef): BlobRef | undefined {
  const text = inlineBytes(own)?.toString("utf8");
  if (text === undefined || !Change.safeParse(kept.outcome?.output).success) return undefined;
  const full = [text.trimEnd(), "", ...verificationLines(ledger, kept)].join("\n");
  return carriedBlob(ledger.task.tenant, Buffer.from(`${full.trimEnd()}\n`));
}

function roundsOf({ task, steps }: Ledger, kept: StepRecord): Round[] {
  const { definition } = task;
  const tester = definition.steps.find(
    ({ repair, agent }) => (repair && !repair.codes) || agent === "buildtest",
  )?.step;
  const last = Math.max(kept.round, ...steps.map(({ round }) => round));
  return Array.from({ length: last + 1 }, (_, round) => {
    // In the order of the workflow: a round may have ended before its change was tested, or taken.
    const outcomes = definition.steps.flatMap(({ step, optional }) => {
      const found = steps.find((one) => one.step === step && one.round === round)?.outcome;
      return found && !optional ? [{ step, outcome: found }] : [];
    });
    const of = (name: string | undefined) => outcomes.find(({ step }) => step === name)?.outcome;
    const [made, tested] = [of(kept.step), of(tester)];
    const uses = outcomes.map(({ outcome }) => Use.safeParse(outcome.output ?? {}).data);
    const failing = outcomes.find(({ outcome }) => outcome.verdict !== "passed")?.outcome ?? tested ?? made;
    return {
      round,
      change: Change.safeParse(made?.output ?? {}).data,
      tests: Tests.safeParse(tested?.output ?? {}).data,
      spent: uses.flatMap((use) => use?.spent ?? []).at(-1),
      is_stated: uses.every((use) => !use?.run || use.run.use !== null),
      reason:
        failing?.verdict === "passed" ? undefined : (failing?.message ?? failing?.code ?? "it did not end"),
      has_passed: tested?.verdict === "passed",
    };
  });
}

function verificationLines(ledger: Ledger, kept: StepRecord): string[] {
  const rounds = roundsOf(ledger, kept);
  const own = rounds.find(({ round }) => round === kept.round);
  const { install, build, test, profile } = ledger.task.spec;
  const commands = [
    ...(install === undefined ? [] : [`install ${markdownCode(install)}`]),
    ...(build === undefined ? [] : [`build ${markdownCode(build)}`]),
    ...(test === undefined ? [] : [`test ${markdownCode(test)}`]),
  ];
  return [
    "## How it was verified",
    "",
    resultLine(ledger, own),
    ...(rounds.length === 1 ? ["The tests were not run before the change."] : []),
    "",
    ...(commands.length > 0
      ? [`Run in the sandbox (profile ${markdownText(profile)}): ${commands.join(", ")}.`]
      : []),
    "The diff was applied to a fresh copy of the source and gave exactly the edited tree.",
    "",
    ...testsThatChanged(rounds, own),
    ...roundTable(rounds, kept.round),
  ];
}

function resultLine({ task }: Ledger, own: Round | undefined): string {
  const { verdict, error, status } = task;
  const counts = own?.tests && testCounts(own.tests);
  const tests = counts ? `: ${counts}` : "";
  if (verdict === "passed") {
    return own?.tests && counts === undefined
      ? "**Passed** by the exit code alone: no test is known to have run."
      : `**Passed**${tests}.`;
  }
  const why = error ? ` ${error.code}: ${sentence(error.message)}` : "";
  const words: Record<string, string> = { canceled: "Canceled", failed: "Failed" };
  return `**${words[status] ?? "Not passed"}**${tests}.${why}`;
}

function sentence(text: string): string {
  const plain = markdownText(text.replace(/\s+/g, " ").trim().slice(0, 500).toWellFormed());
  return /[.!?]$/.test(plain) ? plain : `${plain}.`;
}

function testCounts({
  tests_passed,
  tests_failed,
  tests_skipped,
}: z.infer<typeof Tests>): string | undefined {
  if (tests_passed + tests_failed + tests_skipped === 0) return undefined;
  const parts = [`${tests_passed} passed`];
  if (tests_failed > 0) parts.unshift(`${tests_failed} failed`);
  if (tests_skipped > 0) parts.push(`${tests_skipped} skipped`);
  return parts.join(", ");
}

/** Which tests failed in a round before and pass now, and which fail still. */
function testsThatChanged(rounds: readonly Round[], own: Round | undefined): string[] {
  const failing = own?.tests?.failed_tests ?? [];
  const before = [
    ...new Set(
      rounds
        .filter((round) => round !== own && round.round < (own?.round ?? 0))
        .flatMap(({ tests }) => tests?.failed_tests ?? []),
    ),
  ];
  // More may fail than are named.
  const all_named =
    (own?.tests?.tests_failed ?? 0) <= failing.length && (own?.has_passed || failing.length > 0);
  const mended =
    all_named && failing.length < FAILED_TESTS_NAMED ? before.filter((name) => !failing.includes(name)) : [];
  return [
    ...nameList("Failed in an earlier round and pass now:", mended),
    ...nameList("Fail still:", failing),
  ];
}

function nameList(title: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, FAILED_TESTS_NAMED).map((name) => `- ${markdownCode(name)}`);
  const more = names.length - shown.length;
  return [title, "", ...shown, ...(more > 0 ? [`- and ${more} more`] : []), ""];
}

function roundTable(rounds: readonly Round[], kept: number): string[] {
  const has_spent = rounds.some(({ spent }) => spent);
  let before = { tokens: 0, usd_micros: 0 };
  const rows = rounds.map(({ round, change, tests, reason, ...use }) => {
    const name = `${round === 0 ? "first" : `repair ${round}`}${round === kept && rounds.length > 1 ? " (kept)" : ""}`;
    const changed = change
      ? `${counted(change.files_changed, "file")}, +${change.insertions} −${change.deletions}`
      : "none";
    const spent = use.spent ?? before;
    const cost = use.is_stated
      ? [String(spent.tokens - before.tokens), dollars((spent.usd_micros - before.usd_micros) / 1e6)]
      : ["not stated", "not stated"];
    before = spent;
    const cells = [
      name,
      changed,
      (tests && testCounts(tests)) ?? "–",
      ...(has_spent ? cost : []),
      reason ? sentence(reason) : "passed",
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const head = ["Round", "Change", "Tests", ...(has_spent ? ["Tokens", "Cost"] : []), "Result"];
  const sum = `All rounds: ${before.tokens} tokens, ${dollars(before.usd_micros / 1e6)}.`;
  return [
    "## Rounds",
    "",
    `| ${head.join(" | ")} |`,
    `|${head.map((name) => (name === "Tokens" || name === "Cost" ? "---:" : "---")).join("|")}|`,
    ...rows,
    ...(has_spent ? ["", sum] : []),
    ...(rounds.length > 1
      ? [
          "",
          `What other rounds made is under ${markdownCode("codegen/earlier")} and ${markdownCode("build-test/earlier")}.`,
        ]
      : []),
  ];
}
