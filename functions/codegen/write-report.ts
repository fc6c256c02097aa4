import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { CreatedDiff } from "#lib/code/diff/create-diff.ts";
import { FLAG_REASONS } from "#lib/code/flags/flag-of.ts";
import { inlineBlob } from "#lib/platform/blobs/inline-blob.ts";
import { counted, dollars, markdownCode, markdownText } from "#lib/work/artifacts/markdown-text.ts";
import { CodegenMetrics } from "#schemas/artifacts/codegen-metrics.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { Provided } from "./providers/provider-task.ts";

/** Files that the summary lists: as many as leave it small enough to travel in the ledger. */
const FILES_SHOWN = [100, 20, 5] as const;

interface Generated extends Provided {
  diff: CreatedDiff;
  round: number;
  /** Unix time in ms. */
  started: number;
}

/** Writes `codegen/diff.patch`, to which it returns a reference, `codegen/summary.md` and `codegen/metrics.json`. */
export async function writeReport(
  generated: Generated,
  { artifacts, runtime }: AgentContext,
): Promise<{ metrics: CodegenMetrics; reference: BlobRef }> {
  const files = generated.diff.changes;
  const metrics: CodegenMetrics = {
    provider: generated.provider,
    round: generated.round,
    duration_ms: runtime.now() - generated.started,
    files_changed: files.length,
    insertions: files.reduce((sum, file) => sum + file.insertions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    files,
    ...(generated.model ? { model: generated.model } : {}),
    ...(generated.agent ? { agent: generated.agent } : {}),
    ...(generated.rules_matched ? { rules_matched: generated.rules_matched } : {}),
  };
  const reference = await artifacts.text("codegen/diff.patch", generated.diff.bytes, "text/x-diff");
  await artifacts.text("codegen/summary.md", summaryThatFits(metrics, generated), "text/markdown", {
    in_ledger: true, // the end of the task adds to it how the change was verified
  });
  await artifacts.json("codegen/metrics.json", "artifact.codegen_metrics", CodegenMetrics, metrics);
  return { metrics, reference };
}

function summaryThatFits(metrics: CodegenMetrics, generated: Generated): string {
  const texts = FILES_SHOWN.map((files_max) => summary(metrics, generated, files_max));
  return texts.find((text) => inlineBlob("any", Buffer.from(text)) !== undefined) ?? texts.at(-1) ?? "";
}

/** Reads like the description of a pull request: what and why, and what to look at. */
function summary(metrics: CodegenMetrics, { notes, intent, asked }: Generated, files_max: number): string {
  const shown = metrics.files.slice(0, files_max);
  const rows = shown.map(
    (file) => `| ${markdownCode(file.path)} | ${file.change} | +${file.insertions} | −${file.deletions} |`,
  );
  const hidden = metrics.files.length - shown.length;
  const look = toLookAt(metrics);
  return [
    `# ${titleOf(metrics, intent, asked)}`,
    "",
    ...(intent ? [markdownText(intent), ""] : []),
    ...(asked ? ["Asked for:", "", ...quoted(asked), ""] : []),
    "## Changes",
    "",
    `${counted(metrics.files_changed, "file")} changed: ${counted(metrics.insertions, "line")} added, ${counted(metrics.deletions, "line")} removed. ${origin(metrics)}`.trimEnd(),
    ...notes,
    "",
    "| File | Change | Added | Removed |",
    "|---|---|---:|---:|",
    ...rows,
    ...(hidden > 0 ? ["", `… and ${counted(hidden, "more file")}; all are in metrics.json.`] : []),
    "",
    ...(look.length > 0 ? ["## What to look at", "", ...look, ""] : []),
  ].join("\n");
}

const TITLE_CHARACTERS_MAX = 100;

/** What was done, else what was asked for, else which files are changed. */
function titleOf(metrics: CodegenMetrics, intent: string | undefined, asked: string | undefined): string {
  const words = firstSentence(intent ?? "") || firstSentence(asked ?? "");
  if (words !== "") return markdownText(words);
  const [first] = metrics.files;
  const others = metrics.files.length - 1;
  const name = markdownText(first?.path ?? "nothing");
  return others > 0 ? `Change ${name} and ${counted(others, "other file")}` : `Change ${name}`;
}

function firstSentence(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  const sentence = /^.*?[.!?](?= |$)/.exec(line.slice(0, TITLE_CHARACTERS_MAX * 3))?.[0] ?? line;
  const title = sentence.replace(/[.:]$/, "");
  if (title.length <= TITLE_CHARACTERS_MAX) return title;
  return `${title
    .slice(0, TITLE_CHARACTERS_MAX - 1)
    .toWellFormed()
    .trimEnd()}…`;
}

const ASKED_CHARACTERS_MAX = 1000;

function quoted(text: string): string[] {
  const cut =
    text.length > ASKED_CHARACTERS_MAX ? `${text.slice(0, ASKED_CHARACTERS_MAX).toWellFormed()} …` : text;
  return cut
    .trim()
    .split(/\r?\n/)
    .map((line) => `> ${markdownText(line)}`.trimEnd());
}

function origin({ provider, model, agent }: CodegenMetrics): string {
  if (agent) return ""; // its notes say which
  if (!model) return `Made by: ${provider}.`;
  const cached = model.cached_input_tokens > 0 ? ` (${model.cached_input_tokens} from the cache)` : "";
  const asked = `${counted(model.turns, "question")} in this round`;
  return `Made by the model ${markdownText(model.model)}: ${asked}, ${model.input_tokens} tokens in${cached}, ${model.output_tokens} out, ${dollars(model.usd)}.`;
}

/** Beside flagged files: what decides how code is built, or whether it counts as right. */
const SENSITIVE: readonly [RegExp, string][] = [
  [/(?:^|\/)(?:package\.json|Makefile|setup\.py|pyproject\.toml)$/, "it may hold scripts and dependencies"],
  [
    /(?:^|\/)(?:tests?|__tests__|spec)\/|\.(?:test|spec)\.[a-z]+$|_test\.(?:go|py)$|(?:^|\/)test_[^/]+\.py$/,
    "it is a test",
  ],
];
const LOOKS_MAX = 20;

/** Changed files that a reviewer should not miss, a line each. */
function toLookAt({ files }: CodegenMetrics): string[] {
  const lines = files.flatMap(({ path, change, flag }) => {
    const reason = flag ? FLAG_REASONS[flag] : SENSITIVE.find(([form]) => form.test(path))?.[1];
    if (change === "deleted")
      return [`- ${markdownCode(path)}: it is deleted${flag ? `, and ${reason}` : ""}`];
    return reason === undefined ? [] : [`- ${markdownCode(path)}: ${reason}`];
  });
  const more = lines.length - LOOKS_MAX;
  return more > 0 ? [...lines.slice(0, LOOKS_MAX), `- and ${counted(more, "more such file")}`] : lines;
}
