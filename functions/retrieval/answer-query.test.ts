import { describe, expect, it } from "vitest";
import type { GraphStore } from "#lib/code/graph/graph-store.ts";
import { snapshotSearchIndex } from "#lib/code/graph/snapshot-search-index.ts";
import { ParkedFault, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import { QueryAnswer } from "#schemas/http/query-answer.ts";
import { QueryRequest } from "#schemas/messages/submission.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { GRAPH_SETTINGS, smallSnapshot } from "#test/fakes/small-snapshot.ts";
import { wordEmbedder } from "#test/fakes/word-embedder.ts";
import { answerQuery, type QueryPorts, queryFailure } from "./answer-query.ts";

const snapshot = await smallSnapshot();
const graph: Pick<GraphStore, "open"> = {
  open: async (tenant, repository) =>
    tenant === "acme" && repository === "shop" ? snapshotSearchIndex(snapshot) : undefined,
};

function ask(query: string, changed: Partial<QueryPorts> = {}, tenant = "acme") {
  const { context, lines } = fakeAgentContext();
  const counted: string[] = [];
  const count: QueryPorts["count"] = (metric) => counted.push(metric);
  const fixed = { graph, embedder: wordEmbedder(), settings: GRAPH_SETTINGS, log: context.log, count };
  const ports = { ...fixed, ...changed };
  const request = QueryRequest.parse({ query, repository: "shop", limit: 3 });
  return { lines, counted, answer: answerQuery(tenant, request, ports) };
}

describe("answerQuery", () => {
  it("answers from the tenant's current snapshot, in the published shape", async () => {
    const answer = QueryAnswer.parse(await ask("erase").answer);
    expect(answer).toMatchObject({ repository: "shop", revision: snapshot.revision });
    expect(answer.results).toHaveLength(3);
    expect(answer.results[0]).toMatchObject({ symbol: "Basket.deleteItem", start_line: 8, end_line: 10 });
    expect(answer.results[0]?.excerpt).toContain("deleteItem(name: string)");
  });

  it("shows another tenant nothing", async () => {
    expect(await ask("erase", {}, "rival").answer).toEqual({
      repository: "shop",
      revision: null,
      words_only: null,
      results: [],
    });
  });

  it("goes by words when the embedder fails, and says so in the log", async () => {
    const embedder = { ...wordEmbedder(), embed: () => Promise.reject(new Error("out of memory")) };
    const { answer, lines } = ask("sum prices", { embedder });
    expect((await answer).results[0]?.symbol).toBe("sumPrices");
    expect((await answer).words_only?.code).toBe("EMBEDDER_FAILED");
    expect(lines.map(({ code }) => code)).toEqual(["QUERY_WITHOUT_MEANING"]);
  });

  it("never compares vectors of two models, dimensions or tokenizers, and says, logs and counts it", async () => {
    for (const other of [{ name: "other" }, { dimensions: 32 }, { tokenizer: "syllables" }]) {
      const { answer, lines, counted } = ask("erase", { embedder: wordEmbedder(other) });
      expect(await answer).toMatchObject({ results: [], words_only: { code: "EMBEDDER_CHANGED" } });
      expect(lines).toMatchObject([{ code: "GRAPH_FAULT", fields: { fault: "EMBEDDER_CHANGED" } }]);
      expect(counted).toEqual(["graph_faults_embedder_changed"]);
    }
    expect((await ask("erase").answer).words_only).toBeNull();
  });

  it("goes by words when the vector of the question cannot be compared", async () => {
    const broken = {
      VECTOR_DIMENSION: [1, 0],
      VECTOR_NOT_FINITE: new Array(64).fill(Number.NaN),
      VECTOR_ZERO: new Array(64).fill(0),
    };
    for (const [code, numbers] of Object.entries(broken)) {
      const embedder = { ...wordEmbedder(), embed: async () => [Float32Array.from(numbers)] };
      const { answer, counted } = ask("sum prices", { embedder });
      expect(await answer).toMatchObject({
        words_only: { code },
        results: [{ symbol: "sumPrices" }, {}, {}],
      });
      expect(counted).toEqual([`graph_faults_${code.toLowerCase()}`]);
    }
  });

  it("goes by words where a stored vector cannot be compared, and names every fault", async () => {
    const vectors = snapshot.vectors.slice();
    vectors[0] = Number.POSITIVE_INFINITY;
    vectors.fill(0, snapshot.dimensions, 2 * snapshot.dimensions);
    const damaged = { open: async () => snapshotSearchIndex({ ...snapshot, vectors }) };
    const { answer, lines } = ask("sum prices", { graph: damaged });
    const { results, words_only } = await answer;
    expect(results[0]).toMatchObject({ symbol: "sumPrices", why: ["1st by words: sum, prices"] });
    expect(words_only?.detail).toContain("index the repository again");
    expect(lines).toMatchObject([
      { fields: { fault: "VECTOR_NOT_FINITE" } },
      { fields: { fault: "VECTOR_ZERO" } },
    ]);
  });

  it("passes on that the stored snapshot is damaged", async () => {
    const damaged = { open: () => Promise.reject(new Error("SNAPSHOT_CORRUPT")) };
    await expect(ask("erase", { graph: damaged }).answer).rejects.toThrow("SNAPSHOT_CORRUPT");
  });
});

describe("what a question that failed is answered", () => {
  it("says that the index is to be made again when it is damaged", () => {
    for (const code of ["SNAPSHOT_CORRUPT", "SNAPSHOT_INCOMPLETE"] as const) {
      expect(queryFailure(new TerminalFault(code, "damaged"))).toMatchObject({
        status: 500,
        code: "INDEX_UNREADABLE",
      });
    }
  });

  it("asks for patience otherwise, and keeps where the graph is to itself", () => {
    const secret = "Neo4j at bolt://10.0.0.7:7687 refuses NEO4J_USER";
    const faults = [
      new TerminalFault("NEO4J_CREDENTIALS_REFUSED", secret),
      new RetryableFault("NEO4J_UNAVAILABLE", secret),
      new ParkedFault("CIRCUIT_OPEN", secret),
    ];
    for (const fault of faults) {
      const answer = queryFailure(fault);
      expect(answer).toMatchObject({
        status: 503,
        code: "GRAPH_UNAVAILABLE",
        headers: { "retry-after": "5" },
      });
      expect(answer.message).not.toContain("10.0.0.7");
    }
  });
});
