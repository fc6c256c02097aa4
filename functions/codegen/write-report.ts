import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { CreatedDiff } from "#lib/code/diff/create-diff.ts";
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
    ...(generated.rules_matched ? { rules_matched: generated.rules_matched } : {}),
  };
  const reference = await artifacts.text("codegen/diff.patch", generated.diff.bytes, "text/x-diff");
  await artifacts.text("codegen/summary.md", summary(metrics, generated.notes), "text/markdown");
  await artifacts.json("codegen/metrics.json", "artifact.codegen_metrics", CodegenMetrics, metrics);
  return { metrics, reference };
}

function summary(metrics: CodegenMetrics, notes: readonly string[]): string {
  const shown = metrics.files.slice(0, FILES_SHOWN_MAX);
  const rows = shown.map(
    (file) => `| ${cell(file.path)} | ${file.change} | +${file.insertions} | −${file.deletions} |`,
  );
  const hidden = metrics.files.length - shown.length;
  return [
    "# Change",
    "",
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
  ].join("\n");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** A path is anything its author liked: it must not end the cell, or become a link or markup. */
function cell(path: string): string {
  return `<code>${path.replace(/[&<>|`*_[\]\\~]/g, (character) => `&#${character.charCodeAt(0)};`)}</code>`;
}
