import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import { search } from "#lib/code/graph/search.ts";
import type { Snapshot } from "#lib/code/graph/snapshot.ts";
import type { QueryAnswer } from "#schemas/http/query-answer.ts";
import { GRAPH_SETTINGS, smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { wordEmbedder } from "#test/fakes/word-embedder.ts";

/** What keeps a code graph, as a contract test uses it. */
export interface GraphWorld {
  /** A store as one process has it; `beforeWrite` is awaited before each write to what keeps the graph. */
  store(beforeWrite?: () => Promise<void>): GraphStore;
  /** Puts a vector of another form, or nothing, in place of one that tenant `acme` stored; "half" takes a chunk away. */
  damage(repository: string, how: Damage): Promise<void>;
  close(): Promise<void>;
}

export type Damage = { vector: number[] } | "half";

let repositories = 0;

/** A repository nobody used yet. */
export function newRepository(): string {
  repositories += 1;
  return `repository-${repositories}-${process.pid}`;
}

/** A small snapshot whose one symbol is `name`. */
export function snapshotNaming(
  repository: string,
  name: string,
  changed: Partial<Snapshot> = {},
): Promise<Snapshot> {
  const files = { "src/a.ts": `/** Does ${name}. */\nexport function ${name}() {\n  return "${name}";\n}\n` };
  return smallSnapshot(files, { repository, ...changed });
}

export function symbolsOf(snapshot: Snapshot | undefined): (string | null)[] | undefined {
  return snapshot?.chunks.map(({ symbol }) => symbol);
}

/** The answer to a question, by words and, unless told otherwise, by meaning. */
export async function ask(
  store: GraphStore,
  { repository, tenant = "acme" }: { repository: string; tenant?: string },
  text: string,
  options: { limit?: number; words_only?: boolean } = {},
): Promise<QueryAnswer["results"]> {
  const index = await store.open(tenant, repository);
  if (!index) return [];
  const words_only = options.words_only || index.faults.length > 0;
  const [vector] = words_only ? [] : await wordEmbedder().embed([text]);
  const query = { text, limit: options.limit ?? 10, ...(vector && { vector }) };
  return search(index, query, GRAPH_SETTINGS);
}
