import { mkdir, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { embeddedGraphStore } from "#lib/code/graph/embedded-graph-store.ts";
import { readTree } from "#lib/code/graph/read-tree.ts";
import type { BuildTestReport } from "#schemas/artifacts/build-test-report.ts";
import type { IndexReport } from "#schemas/artifacts/index-report.ts";
import type { BlobRef } from "#schemas/primitives.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { memoryPointers } from "#test/fakes/memory-pointers.ts";
import { SMALL_REPOSITORY } from "#test/fakes/small-repository.ts";
import { GRAPH_SETTINGS } from "#test/fakes/small-snapshot.ts";
import { wordEmbedder } from "#test/fakes/word-embedder.ts";
import { type IndexPorts, indexRepository } from "./index-repository.ts";

const HASH = "a".repeat(64);

/** A source is the JSON of its files; a diff is the JSON of what to overwrite. */
function bench() {
  const fake = fakeAgentContext();
  const pointers = memoryPointers();
  const embedder = wordEmbedder();
  const directories: string[] = [];
  const write = async (directory: string, text: string) => {
    for (const [path, content] of Object.entries(JSON.parse(text) as Record<string, string>)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), content);
    }
  };
  const ports: IndexPorts = {
    resolveSource: async (source) => {
      if (source.kind !== "archive") throw new Error("only archives here");
      return source;
    },
    unpackSource: async (archive, directory) => {
      directories.push(directory);
      await write(directory, await fake.blobs.readText(archive));
    },
    code: {
      applyDiff: async (directory, diff) => {
        await write(directory, Buffer.from(diff).toString());
        return [];
      },
      readTree,
    },
    graph: embeddedGraphStore({ blobs: () => fake.blobs, pointers }),
    embedder,
    settings: GRAPH_SETTINGS,
  };
  const store = (value: unknown) => fake.blobs.write(JSON.stringify(value), "application/json");
  const index = async (
    files: Record<string, string>,
    more: { diff?: BlobRef; report?: BlobRef } = {},
    changed: Partial<IndexPorts> = {},
  ) => {
    const source = { kind: "archive" as const, blob: await store(files) };
    return indexRepository({ repository: "shop", source, ...more }, fake.context, { ...ports, ...changed });
  };
  const report = () =>
    JSON.parse(fake.artifacts.get("index/report.json")?.bytes.toString() ?? "null") as IndexReport;
  return { fake, pointers, embedder, directories, ports, store, index, report };
}

function testReport(tests: BuildTestReport["tests"]): BuildTestReport {
  return {
    verdict: "failed",
    code: "TESTS_FAILED",
    reason: "1 test failed",
    source_sha256: HASH,
    diff_sha256: null,
    isolation: "full",
    isolation_backend: "bubblewrap",
    not_enforced: [],
    profile: "small",
    profile_hash: HASH,
    phases: [],
    test_format: "node-test",
    test_reports: [],
    test_problems: [],
    test_notice: null,
    tests,
    tests_passed: 0,
    tests_failed: tests.length,
    tests_skipped: 0,
    first_failure: null,
    duration_ms: 1,
  };
}

describe("indexRepository", () => {
  it("publishes a snapshot, reports what is in it and leaves nothing on disk", async () => {
    const { fake, index, report, ports, directories } = bench();
    const result = await index(SMALL_REPOSITORY);
    const snapshot = await ports.graph.latest("acme", "shop");
    expect(result).toMatchObject({
      verdict: "passed",
      output: { repository: "shop", revision: snapshot?.revision, files: 6, symbols: 6 },
    });
    expect(fake.artifacts.get("index/report.json")?.schema_name).toBe("artifact.index_report");
    expect(report()).toMatchObject({
      files_by_language: { typescript: 4, markdown: 1, json: 1 },
      files_skipped: [],
      reused: 0,
      embedder: "words",
    });
    for (const directory of directories) {
      expect(await readdir(tmpdir())).not.toContain(directory.split("/").at(-1));
    }
  });

  it("changes nothing when the same tree is indexed again, and embeds nothing", async () => {
    const { index, pointers, report } = bench();
    await index(SMALL_REPOSITORY);
    const before = await pointers.get("acme", "shop");
    await index(SMALL_REPOSITORY);
    expect(await pointers.get("acme", "shop")).toEqual(before);
    expect(report()).toMatchObject({ embedded: 0, reused: report().chunks });
  });

  it("indexes the tree with its diff applied, and embeds only what the diff changed", async () => {
    const { index, store, ports, report } = bench();
    const before = await index(SMALL_REPOSITORY);
    const diff = await store({ "src/prices.ts": "export function averagePrice() {\n  return 1;\n}\n" });
    const after = await index(SMALL_REPOSITORY, { diff });
    expect(after.output?.revision).not.toBe(before.output?.revision);
    expect(report()).toMatchObject({ embedded: 1, reused: report().chunks - 1 });
    const symbols = (await ports.graph.latest("acme", "shop"))?.chunks.map(({ symbol }) => symbol);
    expect(symbols).toContain("averagePrice");
    expect(symbols).not.toContain("sumPrices");
  });

  it("links test results to files by the end of their path, and keeps them when indexed again", async () => {
    const { index, store, ports, report } = bench();
    const result = { status: "failed" as const, duration_ms: 1, failure: "wrong" };
    const tests = [
      { ...result, name: "adds up prices", file: "/sandbox/tree/test/prices.test.ts" },
      { ...result, name: "elsewhere", file: "/sandbox/tree/test/gone.test.ts" },
      { ...result, name: "nowhere", file: null },
    ];
    await index(SMALL_REPOSITORY, { report: await store(testReport(tests)) });
    expect(report().test_results_linked).toBe(1);
    await index(SMALL_REPOSITORY);
    const snapshot = await ports.graph.latest("acme", "shop");
    expect(snapshot?.tests.map(({ name, file }) => [name, snapshot.files[file]?.path])).toEqual([
      ["adds up prices", "test/prices.test.ts"],
    ]);
    await index({ ...SMALL_REPOSITORY, "README.md": "# Changed" });
    expect((await ports.graph.latest("acme", "shop"))?.tests).toEqual([]);
  });

  it("refuses a report it cannot read before doing any work", async () => {
    const { index, store, directories } = bench();
    const refused = index(SMALL_REPOSITORY, { report: await store({ verdict: "great" }) });
    await expect(refused).rejects.toMatchObject({ code: "REPORT_UNREADABLE", disposition: "terminal" });
    expect(directories).toEqual([]);
  });

  it("indexes an empty repository", async () => {
    const { index, ports } = bench();
    expect(await index({})).toMatchObject({ verdict: "passed", output: { files: 0, symbols: 0, chunks: 0 } });
    expect((await ports.graph.latest("acme", "shop"))?.chunks).toEqual([]);
  });

  it("replaces a damaged snapshot and says so in the log", async () => {
    const { fake, index, pointers, ports } = bench();
    const blob = await fake.blobs.write("damaged", "application/gzip");
    await pointers.move("acme", "shop", { version: 1, revision: HASH, blob }, undefined);
    expect((await index(SMALL_REPOSITORY)).verdict).toBe("passed");
    expect(fake.lines).toContainEqual(
      expect.objectContaining({
        code: "SNAPSHOT_REPLACED",
        fields: expect.objectContaining({ reason: "SNAPSHOT_CORRUPT" }),
      }),
    );
    expect((await ports.graph.latest("acme", "shop"))?.files).toHaveLength(6);
  });

  it("publishes nothing once its lease is lost, and cleans up", async () => {
    const { fake, index, pointers, directories, embedder } = bench();
    const reason = new Error("lease lost");
    const losing = {
      embedder: {
        ...embedder,
        embed: async (texts: readonly string[]) => {
          fake.abort(reason);
          return embedder.embed(texts);
        },
      },
    };
    await expect(index(SMALL_REPOSITORY, {}, losing)).rejects.toBe(reason);
    expect(await pointers.get("acme", "shop")).toBeUndefined();
    expect(fake.artifacts.size).toBe(0);
    expect(await readdir(tmpdir())).not.toContain(directories[0]?.split("/").at(-1));
  });

  it("passes on why a source or a diff was refused", async () => {
    const { index, store, pointers, ports } = bench();
    const refusal = new Error("does not apply");
    const applyDiff = async () => {
      throw refusal;
    };
    await expect(
      index(SMALL_REPOSITORY, { diff: await store({}) }, { code: { ...ports.code, applyDiff } }),
    ).rejects.toBe(refusal);
    expect(await pointers.get("acme", "shop")).toBeUndefined();
  });

  it("finds by words what the embedder gave no usable vector for, and logs and counts why", async () => {
    const { index, fake } = bench();
    const broken = {
      ...wordEmbedder(),
      embed: async (texts: readonly string[]) => texts.map(() => new Float32Array(64)),
    };
    expect(await index(SMALL_REPOSITORY, {}, { embedder: broken })).toMatchObject({
      verdict: "passed",
      output: { embedded: 0 },
    });
    const faults = fake.lines.filter(({ code }) => code === "GRAPH_FAULT");
    expect(faults).toMatchObject([{ level: "warn", fields: { fault: "VECTOR_ZERO", repository: "shop" } }]);
    expect(fake.counted.get("graph_faults_vector_zero")).toBeGreaterThan(3);
  });
});
