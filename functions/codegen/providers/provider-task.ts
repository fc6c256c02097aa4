import type { Spending } from "#lib/resilience/spending/model-spending.ts";
import type { CodegenMetrics, ModelUse } from "#schemas/artifacts/codegen-metrics.ts";
import type { ChangeRef, CodegenOutput } from "#schemas/messages/codegen.ts";
import type { BlobRef } from "#schemas/primitives.ts";

/** What a provider may use: the change by its kind, and the tree it edits in place. */
export interface ProviderTask<Kind extends ChangeRef["kind"]> {
  change: Extract<ChangeRef, { kind: Kind }>;
  /** 0 for the first try. */
  round: number;
  /** The unpacked tree. */
  directory: string;
}

/** What a provider did, in its own words; the diff says what changed. */
export interface Provided {
  provider: CodegenOutput["provider"];
  /** Markdown for `codegen/summary.md`. */
  notes: string[];
  rules_matched?: Record<string, number>;
  /** What was changed and why, in the words of whoever made the change. */
  intent?: string;
  /** The words that the change was asked for with. */
  asked?: string;
  model?: ModelUse;
  agent?: CodegenMetrics["agent"];
  /** On models, by all rounds up to this one. */
  spent?: Spending;
  /** For the next round. */
  memory?: BlobRef;
}
