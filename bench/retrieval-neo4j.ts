/**
 * The questions of `npm run bench:retrieval` put to both graph stores, side by side: the snapshot in memory and a Neo4j
 * server, which it installs and starts. `npm run bench:retrieval:neo4j -- --help`.
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
import { cacheDirectory } from "../local/host/cache-directory.ts";
import { neo4jPart } from "../local/host/neo4j.ts";
import { anyFreePort } from "../local/ports.ts";
import { readOptions } from "../scripts/read-options.ts";
import { cachedEmbedder } from "./retrieval/cached-embedder.ts";
import { PACKAGES } from "./retrieval/packages.ts";
import { askAll, figures } from "./retrieval/quality.ts";
import { embedCorpus, readFunctions, withoutNames } from "./retrieval/question-corpus.ts";

const HELP = `npm run bench:retrieval:neo4j -- [options]

Puts the questions of bench:retrieval to the store in memory and to a Neo4j server. Needs Java 17 and Maven.

  --package <name>  ${PACKAGES.map(({ name }) => name).join(", ")} (${PACKAGES[0]?.name})
  --without-names   the functions without their names
  --help            this text`;

const options = readOptions(HELP, {
  package: { type: "string", default: PACKAGES[0]?.name ?? "" },
  "without-names": { type: "boolean" },
});
const source = PACKAGES.find(({ name }) => name === options.package);
if (!source) {
  console.error(`${options.package} is not one of the packages.\n\n${HELP}`);
  process.exit(2);
}
const limits = { ...configured, chunks_max: 30_000, embedding_seconds_max: 3600 };
const data_directory = await mkdtemp(join(tmpdir(), "neo4j-bench-"));
await neo4jPart.install(console.log);
const port = await anyFreePort();
const server = await neo4jPart.start({ port, data_directory, log_file: join(data_directory, "neo4j.log") });
const { NEO4J_URL: url = "", NEO4J_USER: user = "", NEO4J_PASSWORD: password = "" } = server.environment;
const settings = { url, user, password, database: "neo4j" };
const driver = neo4jDriver(settings);
try {
  const functions = await readFunctions(source, limits);
  const embedder = cachedEmbedder(
    minilmEmbedder(),
    join(cacheDirectory("retrieval"), "minilm-l6-v2.vectors"),
  );
  const asked = options["without-names"] ? withoutNames(functions) : functions;
  const { snapshot, questions } = await embedCorpus(asked, embedder, limits);
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
  const stores = { "in memory": snapshotSearchIndex(snapshot), Neo4j: index };
  console.log(`${source.name}: ${snapshot.chunks.length} functions, ${questions.length} queries`);
  for (const [name, each] of Object.entries(stores)) {
    const { ranks, milliseconds } = await askAll(each, snapshot, questions, limits);
    const shown = (["vectors alone", "our words", "ours"] as const).map((method) => {
      const { mrr, hit_at_10 } = figures(ranks[method]);
      return `${method} ${mrr.toFixed(3)} / ${hit_at_10.toFixed(3)}`;
    });
    console.log(`${name}: ${shown.join(", ")}; ${(milliseconds / questions.length).toFixed(1)} ms a query`);
  }
  console.log(`${publishing_ms.toFixed(0)} ms to publish in Neo4j`);
} finally {
  await driver.close();
  await server.stop();
  await rm(data_directory, { recursive: true, force: true });
}
