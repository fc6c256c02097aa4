import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { codeWork } from "#lib/code/confined/code-work.ts";
import { minilmEmbedder } from "#lib/code/embedding/minilm-embedder.ts";
import { embeddedGraphStore } from "#lib/code/graph/embedded-graph-store.ts";
import { readTree } from "#lib/code/graph/read-tree.ts";
import { dynamodbSnapshotPointers } from "#lib/code/graph/snapshot-pointers.ts";
import { packFiles } from "#lib/code/source/pack-source.ts";
import { resolveSource } from "#lib/code/source/resolve-source.ts";
import { unpackSource } from "#lib/code/source/unpack-source.ts";
import { GraphConfig } from "#schemas/config/graph.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { realTable } from "#test/fakes/real-table.ts";
import { SMALL_REPOSITORY } from "#test/fakes/small-repository.ts";
import { fakeSourcePorts } from "#test/fakes/source-ports.ts";
import { indexRepository } from "../../functions/indexing/index-repository.ts";
import { answerQuery } from "../../functions/retrieval/answer-query.ts";

const NEW_FILE = `diff --git a/src/empty.ts b/src/empty.ts
new file mode 100644
--- /dev/null
+++ b/src/empty.ts
@@ -0,0 +1,3 @@
+export function emptyBasket(items: string[]): void {
+  items.length = 0;
+}
`;

describe("indexing, then asking", () => {
  it("answers questions about a changed archive by meaning, with the real model", async () => {
    const { context, blobs } = fakeAgentContext();
    const { table, table_name, close } = await realTable();
    const settings = GraphConfig.parse(JSON.parse(await readFile("configs/graph.json", "utf8")));
    const source = { ...fakeSourcePorts(), blobs, signal: context.signal };
    const graph = embeddedGraphStore({
      blobs: () => blobs,
      pointers: dynamodbSnapshotPointers({ table, table_name }),
    });
    const ports = {
      resolveSource: (reference: Parameters<typeof resolveSource>[0]) => resolveSource(reference, source),
      unpackSource: (archive: Parameters<typeof unpackSource>[0], directory: string) =>
        unpackSource(archive, directory, source),
      code: { applyDiff: codeWork.applyDiff, readTree },
      graph,
      embedder: minilmEmbedder(),
      settings,
      log: context.log,
      count: context.count,
    };
    const archive = await blobs.write(await packFiles(SMALL_REPOSITORY), "application/gzip");
    const input = { repository: "shop", source: { kind: "archive" as const, blob: archive } };
    try {
      await indexRepository({ ...input, diff: await blobs.write(NEW_FILE, "text/x-diff") }, context, ports);
      const found = async (query: string) =>
        (await answerQuery("acme", { query, repository: "shop", limit: 3 }, ports)).results.map(
          ({ symbol }) => symbol,
        );
      const first = async (query: string) => (await found(query))[0];
      // It shares no word with the question; places that share some may come before it.
      expect(await found("remove a product from the cart")).toContain("Basket.deleteItem");
      expect(await first("emptyBasket")).toBe("emptyBasket");
      expect(await first("when do customers get reimbursed?")).toBe("README.md");
    } finally {
      await close();
    }
  });
});
