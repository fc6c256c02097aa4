import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import type { Embedder } from "#lib/code/embedding/embedder.ts";
import { embedChunks } from "#lib/code/graph/embed-chunks.ts";
import { GRAPH_FAULT_METRICS } from "#lib/code/graph/graph-faults.ts";
import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import { keepTests, linkTests } from "#lib/code/graph/link-tests.ts";
import type { Tree, TreeLimits } from "#lib/code/graph/read-tree.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { TerminalFault } from "#lib/platform/errors/fault.ts";
import { BuildTestReport, type TestCase } from "#schemas/artifacts/build-test-report.ts";
import { IndexReport } from "#schemas/artifacts/index-report.ts";
import type { GraphConfig } from "#schemas/config/graph.ts";
import type { IndexingInput, IndexingOutput } from "#schemas/messages/indexing.ts";
import type { SourceRef } from "#schemas/messages/source.ts";
import type { BlobRef } from "#schemas/primitives.ts";

export interface IndexPorts {
  resolveSource(source: SourceRef): Promise<{ kind: "archive"; blob: BlobRef }>;
  unpackSource(archive: BlobRef, directory: string): Promise<void>;
  /** Functions on submitted text; they run confined, under limits. */
  code: Pick<ConfinedCode, "applyDiff"> & {
    readTree(directory: string, limits: TreeLimits): Promise<Tree>;
  };
  graph: GraphStore;
  embedder: Embedder;
  settings: GraphConfig;
}

const SKIPPED_LISTED_MAX = 1000;

/**
 * Indexes a source tree and makes it the current revision for queries. Embeddings of code that
 * did not change come from the repository's previous snapshot. Safe to repeat.
 */
export async function indexRepository(
  input: IndexingInput,
  context: AgentContext,
  ports: IndexPorts,
): Promise<AgentResult<IndexingOutput>> {
  const { signal, runtime, envelope } = context;
  const { repository } = input;
  const { embedder, settings } = ports;
  const started = runtime.now();
  const tests = input.report && (await readTests(input.report, context));
  const source = await ports.resolveSource(input.source);
  const tree = await readSource(source.blob, input.diff, context, ports);

  const previous = await previousSnapshot(envelope.tenant, repository, context, ports.graph);
  const limits = settings;
  const embedding = await context.span("embed", { "agents.chunks": tree.chunks.length }, () =>
    embedChunks(tree.chunks, { embedder, limits, runtime, previous, signal }),
  );
  const { embedded, reused, left_out } = embedding;
  if (left_out > 0) {
    const sentence =
      "the time limit was reached before all chunks were embedded; the rest is found by words until indexed again";
    context.log.warn("EMBEDDING_CUT_SHORT", sentence, { repository, embedded, left_out });
  }
  for (const [fault, vectors] of embedding.refused) {
    const sentence = "the embedder gave vectors that cannot be compared; their code is found by words only";
    context.log.warn("GRAPH_FAULT", sentence, { fault, repository, vectors });
    context.count(GRAPH_FAULT_METRICS[fault], vectors);
  }
  const snapshot: Snapshot = {
    schema_version: 1,
    tenant: envelope.tenant,
    repository,
    revision: tree.revision,
    embedder: embedder.name,
    dimensions: embedder.dimensions,
    tokenizer_sha256: await embedder.tokenizerSha256(),
    files: tree.files,
    chunks: embedding.chunks,
    imports: tree.imports,
    calls: tree.calls,
    tests: tests ? linkTests(tests, tree.files) : keepTests(previous, tree),
    vectors: embedding.vectors,
  };
  await context.span("publish snapshot", {}, () => ports.graph.publish(snapshot, signal));

  const counts = { files: tree.files.length, symbols: tree.symbols, chunks: tree.chunks.length, embedded };
  await context.artifacts.json("index/report.json", "artifact.index_report", IndexReport, {
    repository,
    revision: tree.revision,
    ...counts,
    reused,
    files_by_language: filesByLanguage(tree),
    files_skipped: tree.skipped.slice(0, SKIPPED_LISTED_MAX),
    test_results_linked: snapshot.tests.length,
    embedder: embedder.name,
    duration_ms: Math.max(0, runtime.now() - started),
  });
  return { verdict: "passed", output: { source, repository, revision: tree.revision, ...counts } };
}

/** Reads the tree with the diff applied, in a temporary directory. */
async function readSource(
  archive: BlobRef,
  diff: BlobRef | undefined,
  context: AgentContext,
  ports: IndexPorts,
): Promise<Tree> {
  return withTemporaryDirectory("index", async (directory) => {
    await ports.unpackSource(archive, directory);
    if (diff) {
      await context.span("apply diff", {}, async () =>
        ports.code.applyDiff(directory, await context.blobs.read(diff)),
      );
    }
    return await context.span("read tree", {}, () =>
      ports.code.readTree(directory, treeLimits(ports.settings)),
    );
  });
}

function treeLimits({
  file_bytes_max,
  chunks_kept_max,
  chunk_characters_max,
  excerpt_characters_max,
}: GraphConfig): TreeLimits {
  return { file_bytes_max, chunks_kept_max, chunk_characters_max, excerpt_characters_max };
}

async function readTests(report: BlobRef, context: AgentContext): Promise<TestCase[]> {
  const text = await context.blobs.readText(report);
  try {
    return BuildTestReport.parse(JSON.parse(text)).tests;
  } catch (cause) {
    const sentence = `${report.key} is not a build-test report; run the step that wrote it again.`;
    throw new TerminalFault("REPORT_UNREADABLE", sentence, { cause });
  }
}

/** The previous snapshot; undefined when it is damaged, so that everything is embedded again and replaced. */
async function previousSnapshot(
  tenant: string,
  repository: string,
  { log }: AgentContext,
  graph: GraphStore,
): Promise<Snapshot | undefined> {
  try {
    return await graph.latest(tenant, repository);
  } catch (error) {
    if (!(error instanceof TerminalFault)) throw error;
    log.warn("SNAPSHOT_REPLACED", "the previous index cannot be read; everything is embedded again", {
      repository,
      reason: error.code,
    });
    return undefined;
  }
}

function filesByLanguage({ files }: Tree): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { language } of files) counts[language] = (counts[language] ?? 0) + 1;
  return counts;
}
