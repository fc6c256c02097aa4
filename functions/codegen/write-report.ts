import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { CreatedDiff } from "#lib/code/diff/create-diff.ts";
import { FLAG_REASONS } from "#lib/code/flags/flag-of.ts";
import { CodegenMetrics } from "#schemas/artifacts/codegen-metrics.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { Provided } from "./providers/provider-task.ts";

const FILES_SHOWN_MAX = 500;

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
  await artifacts.text("codegen/summary.md", summary(metrics, generated), "text/markdown");
  await artifacts.json("codegen/metrics.json", "artifact.codegen_metrics", CodegenMetrics, metrics);
  return { metrics, reference };
}

/** Reads like the description of a pull request: what and why, how it was verified, what to look at. */
function summary(metrics: CodegenMetrics, { notes, intent }: Generated): string {
  const shown = metrics.files.slice(0, FILES_SHOWN_MAX);
  const rows = shown.map(
    (file) => `| ${cell(file.path)} | ${file.change} | +${file.insertions} | −${file.deletions} |`,
  );
  const hidden = metrics.files.length - shown.length;
  const look = toLookAt(metrics);
  return [
    "# Change",
    "",
    ...(intent ? [escaped(intent), ""] : []),
    `${count(metrics.files_changed, "file")} changed: ${count(metrics.insertions, "line")} added, ${count(metrics.deletions, "line")} removed.`,
    `Provider: ${metrics.provider}. Round: ${metrics.round}.`,
    "",
    ...notes,
    "",
    "| File | Change | Added | Removed |",
    "|---|---|---:|---:|",
    ...rows,
    ...(hidden > 0 ? ["", `… and ${count(hidden, "more file")}; all are in metrics.json.`] : []),
    "",
    "## Verified",
    "",
    "The diff was applied to a fresh copy of the source and gave exactly the edited tree. What the build and the tests said of it is in `build-test/summary.json`.",
    "",
    ...(look.length > 0 ? ["## To look at", "", ...look, ""] : []),
    ...(metrics.model ? ["## Model", "", ...modelLines(metrics.model), ""] : []),
  ].join("\n");
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
    if (change === "deleted") return [`- ${cell(path)}: it is deleted${flag ? `, and ${reason}` : ""}`];
    return reason === undefined ? [] : [`- ${cell(path)}: ${reason}`];
  });
  const more = lines.length - LOOKS_MAX;
  return more > 0 ? [...lines.slice(0, LOOKS_MAX), `- and ${count(more, "more such file")}`] : lines;
}

function modelLines(model: NonNullable<CodegenMetrics["model"]>): string[] {
  const { turns, rounds, usd, task_usd } = model;
  const cached = model.cached_input_tokens > 0 ? ` (${model.cached_input_tokens} from the cache)` : "";
  return [
    `${escaped(model.model)}: ${count(turns, "question")} in this round, ${count(rounds, "round")} so far.`,
    `${model.input_tokens} tokens in${cached}, ${model.output_tokens} out, ${dollars(usd)}; the task so far: ${model.task_tokens} tokens, ${dollars(task_usd)}.`,
  ];
}

function dollars(usd: number): string {
  return `${usd.toFixed(usd < 1 ? 4 : 2)} USD`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** A path is anything its author liked: it must not end the cell, or become a link or markup. */
function cell(path: string): string {
  return `<code>${escaped(path)}</code>`;
}

/** Text of others as plain text. */
function escaped(text: string): string {
  return text.replace(/[&<>|`*_[\]\\~]/g, (character) => `&#${character.charCodeAt(0)};`);
}
