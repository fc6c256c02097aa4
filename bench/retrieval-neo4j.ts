/**
 * The questions of bench/retrieval.ts put to both graph stores, side by side: the snapshot in memory and a
 * Neo4j server, which it installs and starts. Needs Java 17 and Maven.
 *
 *     node bench/retrieval-neo4j.ts [functions at most]
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { minilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";
import { neo4jGraphStore } from "#lib/code/graph/neo4j-graph-store.ts";
import { preparedOnce } from "#lib/code/graph/neo4j-schema.ts";
import { snapshotSearchIndex } from "#lib/code/graph/snapshot-search-index.ts";
import { cypherOver, neo4jDriver } from "#lib/code/neo4j/cypher.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import configured from "../configs/graph.json" with { type: "json" };
import { neo4jPart } from "../local/host/neo4j.ts";
import { anyFreePort } from "../local/ports.ts";
import { quality } from "./retrieval/quality.ts";
import { questionCorpus } from "./retrieval/question-corpus.ts";

const functions_max = Number(process.argv[2] ?? 402) || Number.POSITIVE_INFINITY;
const limits = { ...configured, chunks_max: 30_000, embedding_seconds_max: 3600 };
const data_directory = await mkdtemp(join(tmpdir(), "neo4j-bench-"));
await neo4jPart.install(console.log);
const port = await anyFreePort();
const server = await neo4jPart.start({ port, data_directory, log_file: join(data_directory, "neo4j.log") });
const { NEO4J_URL: url = "", NEO4J_USER: user = "", NEO4J_PASSWORD: password = "" } = server.environment;
const settings = { url, user, password, database: "neo4j" };
const driver = neo4jDriver(settings);
try {
  const { snapshot, questions } = await questionCorpus(minilmEmbedder(), limits, functions_max);
  const cypher = cypherOver(driver, settings);
  const store = neo4jGraphStore({
    cypher,
    prepare: preparedOnce(cypher),
    runtime: systemRuntime,
    call: (work) => work(new AbortController().signal),
  });
  const started = performance.now();
  await store.publish(snapshot);
  const publishing_ms = performance.now() - started;
  const index = await store.open(snapshot.tenant, snapshot.repository);
  if (!index) throw new Error("Nothing was published.");
  const memory = await quality(snapshotSearchIndex(snapshot), questions, limits);
  const neo4j = await quality(index, questions, limits);
  console.log(`${snapshot.chunks.length} functions, ${questions.length} queries`);
  console.table(
    Object.fromEntries(
      Object.keys(memory.table).map((how) => [
        how,
        {
          "MRR, in memory": memory.table[how]?.MRR,
          "MRR, Neo4j": neo4j.table[how]?.MRR,
          "hit@10, in memory": memory.table[how]?.["hit@10"],
          "hit@10, Neo4j": neo4j.table[how]?.["hit@10"],
        },
      ]),
    ),
  );
  console.log(
    `${memory.milliseconds_a_query.toFixed(1)} ms a query in memory, ${neo4j.milliseconds_a_query.toFixed(1)} ms in Neo4j; ${publishing_ms.toFixed(0)} ms to publish`,
  );
} finally {
  await driver.close();
  await server.stop();
  await rm(data_directory, { recursive: true, force: true });
}
