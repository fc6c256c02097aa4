import { join } from "node:path";
import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import type { CreatedDiff } from "#lib/code/diff/create-diff.ts";
import { FLAG_REASONS, flagsBut } from "#lib/code/flags/flag-of.ts";
import { resolveSource } from "#lib/code/source/resolve-source.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { unpackSource } from "#lib/code/source/unpack-source.ts";
import { Fault, RejectedInput, TerminalFault } from "#lib/platform/errors/fault.ts";
import type { CodegenInput, CodegenOutput } from "#schemas/messages/codegen.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import type { CodegenPorts } from "./ports.ts";
import { provideCodemod } from "./providers/codemod.ts";
import { applyAgentDiff } from "./providers/command.ts";
import { applyModel } from "./providers/model.ts";
import { applyPatch } from "./providers/patch.ts";
import type { Provided } from "./providers/provider-task.ts";
import { writeReport } from "./write-report.ts";

/**
 * Edits a copy of the source as the change asks, and leaves the difference as one canonical diff
 * that has been applied to a fresh copy and gave exactly the edited tree.
 *
 * @throws RejectedInput `CHANGE_EMPTY`, `CHANGE_FLAGGED`, `NO_REPAIR_LEFT`, `MODEL_NOT_CONFIGURED`, the codes of
 * `resolveSource`, `unpackSource`, `applyDiff`, `createDiff`, `applyCodemod` and of `ConfinedCode`;
 * TerminalFault `DIFF_NOT_REPRODUCIBLE`
 */
export async function generateChange(
  input: CodegenInput,
  context: AgentContext,
  ports: CodegenPorts,
): Promise<AgentResult<CodegenOutput>> {
  const started = context.runtime.now();
  if (input.change.kind === "prompt") await ports.model.choose(); // before anything is fetched
  const source = await context.span("resolve source", { "agents.source.kind": input.source.kind }, () =>
    resolveSource(input.source, ports.source),
  );
  const { provided, diff } = await withTemporaryDirectory("codegen", (directory) =>
    changeTree(input, source.blob, directory, context, ports),
  );
  const { metrics, reference } = await writeReport(
    { ...provided, diff, round: input.round, started },
    context,
  );
  context.log.info("CHANGE_GENERATED", "The change is a diff that applies to the source.", {
    provider: provided.provider,
    files_changed: metrics.files_changed,
  });
  const { files_changed, insertions, deletions } = metrics;
  const { provider, memory, spent } = provided;
  const counts = { files_changed, insertions, deletions };
  return {
    verdict: "passed",
    output: {
      source,
      diff: reference,
      provider,
      ...counts,
      ...(memory && { memory }),
      ...(spent && { spent }),
    },
  };
}

async function changeTree(
  input: CodegenInput,
  archive: BlobRef,
  directory: string,
  context: AgentContext,
  ports: CodegenPorts,
): Promise<{ provided: Provided; diff: CreatedDiff }> {
  const before = join(directory, "before");
  const after = join(directory, "after");
  await context.span("unpack", { "agents.source.bytes": archive.bytes }, async () => {
    await unpackSource(archive, before, ports.source);
    await unpackSource(archive, after, ports.source);
  });
  const change_kind = input.change.kind;
  const provided = await context.span("change tree", { "agents.change.kind": change_kind }, () =>
    provide(input, after, context, ports),
  );
  context.signal.throwIfAborted();
  const diff = await context.span("create diff", {}, () => ports.code.createDiff(before, after));
  if (diff.bytes.length === 0) {
    throw new RejectedInput(
      "CHANGE_EMPTY",
      "The change leaves the source as it is. Check that it is not already part of the source.",
    );
  }
  refuseFlagged(provided, diff, ports);
  await context.span("prove diff", {}, () => assertReproduces(diff.bytes, before, after, ports));
  return { provided, diff };
}

async function provide(
  input: CodegenInput,
  directory: string,
  context: AgentContext,
  { model, code, codemod }: CodegenPorts,
): Promise<Provided> {
  const { change, round } = input;
  switch (change.kind) {
    case "patch":
      return applyPatch({ change, round, directory }, context, code);
    case "codemod":
      return provideCodemod({ change, round, directory }, context, { code, limits: codemod });
    case "command":
      return applyAgentDiff({ ...input, change, directory }, context, code);
    case "prompt":
      return applyModel({ ...input, change, directory }, context, {
        ...model,
        code,
        choice: await model.choose(),
      });
  }
}

const FLAGGED_NAMED_MAX = 5;

/**
 * A submitter's own patch or codemod is only flagged: who wrote it has seen it.
 *
 * @throws RejectedInput `CHANGE_FLAGGED`
 */
function refuseFlagged(
  { provider }: Provided,
  { changes }: CreatedDiff,
  ports: Pick<CodegenPorts, "flaggedFilesAllowed">,
): void {
  if (provider !== "model" && provider !== "command") return;
  const refused = flagsBut(ports.flaggedFilesAllowed());
  const named = changes.flatMap(({ path, flag }) =>
    flag && refused.includes(flag) ? [`${JSON.stringify(path)} (${flag}: ${FLAG_REASONS[flag]})`] : [],
  );
  if (named.length === 0) return;
  const more = named.length - FLAGGED_NAMED_MAX;
  throw new RejectedInput(
    "CHANGE_FLAGGED",
    `The change is of files that a ${provider === "model" ? "model" : "coding agent"} may not change: ${named.slice(0, FLAGGED_NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}. Allow it by flagged_files_allowed in configs/codegen.json, or submit it as a patch.`,
  );
}

/** `before` is the source as unpacked, which nobody has touched: it becomes the proof. */
async function assertReproduces(
  diff: Uint8Array,
  before: string,
  after: string,
  { code }: CodegenPorts,
): Promise<void> {
  try {
    await code.applyDiff(before, diff);
    if ((await code.createDiff(before, after)).bytes.length === 0) return;
  } catch (cause) {
    if (cause instanceof Fault && cause.code.startsWith("COMPUTATION_")) throw cause;
    throw notReproducible(cause);
  }
  throw notReproducible(undefined);
}

function notReproducible(cause: unknown): TerminalFault {
  return new TerminalFault(
    "DIFF_NOT_REPRODUCIBLE",
    "The diff that was made does not give the edited tree again. This is a fault of the platform; keep the message for the report.",
    { cause },
  );
}
