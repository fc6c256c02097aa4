import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Cypher, cypherOver, neo4jDriver } from "#lib/code/neo4j/cypher.ts";
import { QueryAnswer } from "#schemas/http/query-answer.ts";
import type { Problem } from "#schemas/http/task-view.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { neo4jPart } from "../../local/host/neo4j.ts";
import type { RunningPart } from "../../local/host/part.ts";
import { anyFreePort } from "../../local/ports.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient, tenantClient } from "../e2e/client.ts";
import { exampleSource } from "../e2e/example.ts";
import { configsDirectory } from "../fakes/configs-directory.ts";

const FILES = 60;
const FUNCTIONS_A_FILE = 50;
const patience = { timeout: 240_000, interval: 100 };

const configs = configsDirectory();
const data_directory = temporaryDirectory("neo4j-e2e");
let port: number;
let server: RunningPart;
let stack: Stack;
let api: ApiClient;
let cypher: Cypher;

const startServer = () =>
  neo4jPart.start({ port, data_directory, log_file: join(data_directory, "neo4j.log") });

beforeAll(async () => {
  // Few vectors: these tests are about what is written when, and the model takes its time.
  const file = join(configs.directory, "graph.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), chunks_max: 40 }));
  port = await anyFreePort();
  server = await startServer();
  const { NEO4J_URL = "", NEO4J_USER = "", NEO4J_PASSWORD = "" } = server.environment;
  const settings = { url: NEO4J_URL, user: NEO4J_USER, password: NEO4J_PASSWORD, database: "neo4j" };
  cypher = cypherOver(neo4jDriver(settings), settings);
  stack = await startStack({ env: { ...server.environment, CONFIG_DIRECTORY: configs.directory } });
  api = developmentClient(stack.url, stack.data_dir);
});
afterAll(async () => {
  await stack?.stop();
  await server?.stop();
  configs.remove();
  if (stack) rmSync(stack.data_dir, { recursive: true, force: true });
});

/** Enough code that writing its index takes a while. */
function largeSource() {
  const files = Array.from({ length: FILES }, (_, file) => {
    const functions = Array.from({ length: FUNCTIONS_A_FILE }, (_, place) => {
      return `export function step${file}x${place}(value) {\n  return value + ${place};\n}\n`;
    });
    return [`src/module-${file}.js`, functions.join("\n")] as const;
  });
  return { kind: "inline" as const, files: Object.fromEntries(files) };
}

async function ask(client: ApiClient, repository: string, query: string) {
  const { status, body } = await client.request("POST", "/api/query", { repository, query, limit: 5 });
  if (status !== 200) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return QueryAnswer.parse(body);
}

/** The revisions of a repository that are written or being written, and which one is current. */
async function revisions(repository: string): Promise<{ chunks: number; current: boolean }[]> {
  const rows = await cypher.read(
    `MATCH (revision:CodeRevision {repository: $repository})
     OPTIONAL MATCH (owner:CodeRepository {current: revision.id})
     RETURN COUNT { (:CodeChunk {revision_id: revision.id}) } AS chunks, owner IS NOT NULL AS current`,
    { repository },
  );
  return rows as { chunks: number; current: boolean }[];
}

function loggedLines(code: string): string[] {
  const log = readFileSync(join(stack.data_dir, "stack.log"), "utf8").split("\n");
  return log.filter((line) => line.includes(`"code":"${code}"`));
}

describe("the whole system with Neo4j as its graph", () => {
  it("indexes what is submitted and answers questions from it, each tenant its own", async () => {
    const { task_id } = await api.submit({
      workflow: "index",
      repository: "ranges",
      source: exampleSource(),
    });
    expect(await api.ended(task_id)).toMatchObject({ verdict: "passed" });
    const answer = await ask(api, "ranges", "where are ranges parsed");
    expect(answer.results[0]).toMatchObject({ symbol: "parseRange", path: expect.stringContaining("src/") });
    expect(answer.results.flatMap(({ why }) => why).join()).toMatch(
      /by words.*by meaning|by meaning.*by words/,
    );
    const report = JSON.parse((await api.artifact(task_id, "index/report.json")).toString("utf8"));
    expect(await revisions("ranges")).toEqual([{ chunks: report.chunks, current: true }]);
    const rival = await tenantClient(stack.url, stack.data_dir, "rival");
    expect(await ask(rival, "ranges", "parseRange")).toMatchObject({ revision: null, results: [] });
  });

  it("loses nothing when Neo4j is killed while it writes: the task ends and the index is whole", async () => {
    const { task_id } = await api.submit({ workflow: "index", repository: "large", source: largeSource() });
    const others = await Promise.all(
      ["second", "third"].map((repository) =>
        api.submit({ workflow: "index", repository, source: exampleSource() }),
      ),
    );
    await vi.waitFor(async () => {
      const [written] = await revisions("large");
      expect(written?.chunks).toBeGreaterThan(0);
    }, patience);
    const [half] = await revisions("large");
    process.kill(-server.pid, "SIGKILL");
    await server.ended;
    expect(half?.current).toBe(false);

    const refused = await api.request<Problem>("POST", "/api/query", {
      repository: "ranges",
      query: "parseRange",
    });
    expect([refused.status, refused.body.code]).toEqual([503, "GRAPH_UNAVAILABLE"]);
    expect(JSON.stringify(refused.body)).not.toContain("bolt:");
    await vi.waitFor(async () => {
      const { body } = await api.request<{ circuits: { key: string; state: string }[] }>(
        "GET",
        "/api/circuits",
      );
      const circuit = body.circuits.find(({ key }) => key === "indexing.worker.neo4j");
      expect(circuit?.state).toMatch(/open/);
    }, patience);

    server = await startServer();
    for (const { task_id: id } of [{ task_id }, ...others]) {
      expect(await api.ended(id)).toMatchObject({ verdict: "passed" });
    }
    const report = JSON.parse((await api.artifact(task_id, "index/report.json")).toString("utf8"));
    expect(report.chunks).toBeGreaterThanOrEqual(FILES * FUNCTIONS_A_FILE);
    expect(await revisions("large")).toContainEqual({ chunks: report.chunks, current: true });
    for (const place of [0, FUNCTIONS_A_FILE - 1]) {
      const name = `step${FILES - 1}x${place}`;
      expect((await ask(api, "large", name)).results[0]?.symbol).toBe(name);
    }
    for (const repository of ["ranges", "second", "third"]) {
      expect((await ask(api, repository, "parseRange")).results[0]?.symbol).toBe("parseRange");
    }
  });

  it("says once and clearly that the password is wrong, and goes on with the rest of its work", async () => {
    await stack.stop();
    const env = {
      ...server.environment,
      NEO4J_PASSWORD: "wrong-password",
      CONFIG_DIRECTORY: configs.directory,
    };
    stack = await startStack({ env, data_dir: stack.data_dir });
    api = developmentClient(stack.url, stack.data_dir);
    const { task_id } = await api.submit({
      workflow: "index",
      repository: "denied",
      source: exampleSource(),
    });
    const ended = await api.ended(task_id);
    expect(ended).toMatchObject({ verdict: "error", error: { code: "NEO4J_CREDENTIALS_REFUSED" } });
    expect(ended.error?.message).toContain("set both as the server has them");
    expect(ended.steps.map(({ attempts }) => attempts)).toEqual([1]);
    expect(readFileSync(join(stack.data_dir, "stack.log"), "utf8")).not.toContain("wrong-password");
    const dead_lettered = () =>
      loggedLines("MESSAGE_DEAD_LETTERED").filter((line) => line.includes("NEO4J_CREDENTIALS_REFUSED"));
    await expect.poll(() => dead_lettered().length, { timeout: 40_000, interval: 50 }).toBe(1);
    const built = await api.submit({ workflow: "buildtest", source: exampleSource(), test: "true" });
    expect((await api.ended(built.task_id)).ended_at).toBeDefined();
  });
});
