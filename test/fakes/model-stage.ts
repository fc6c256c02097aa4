import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { codeWork } from "#lib/code/confined/code-work.ts";
import { readTree } from "#lib/code/graph/read-tree.ts";
import { Fault } from "#lib/platform/errors/fault.ts";
import type { CodegenPolicy, ModelEntry } from "#schemas/config/codegen.ts";
import { GraphConfig } from "#schemas/config/graph.ts";
import { type FakeAgentContext, fakeAgentContext } from "#test/fakes/agent-context.ts";
import { modelChoice } from "#test/fakes/model-choice.ts";
import { modelServer, type ScriptedAnswer } from "#test/fakes/model-server.ts";
import { applyModel } from "../../functions/codegen/providers/model.ts";
import type { Once } from "../../functions/codegen/providers/stored-answer.ts";

/** A tree with one fault. */
export const FILES = {
  "src/add.js": "export const add = (a, b) => a - b;\n",
  "test/add.test.js": "import { add } from '../src/add.js';\n",
};

/** A replacement in the text form of edits. */
export const replaceBlock = (path: string, search: string, replace: string) =>
  `${path}\n<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE\n`;

/** The answer that mends `FILES`. */
export const RIGHT = `The subtraction becomes an addition.\n\n${replaceBlock("src/add.js", "export const add = (a, b) => a - b;", "export const add = (a, b) => a + b;")}`;

interface Change {
  files?: Record<string, string>;
  words?: string;
  model?: Partial<ModelEntry>;
  policy?: Partial<CodegenPolicy>;
  round?: object;
  /** The same server and tree as before, as when a message comes twice. */
  again?: boolean;
}

/** Changes in words of a tree in a temporary directory, by a model that answers a script. One for a test file. */
export function modelStage() {
  const graph = GraphConfig.parse(JSON.parse(readFileSync("configs/graph.json", "utf8")));
  let server: Awaited<ReturnType<typeof modelServer>>;
  let directory: string;
  let fake: FakeAgentContext;
  let kept: Map<string, unknown>;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "model-"));
    fake = fakeAgentContext();
    kept = new Map();
  });
  afterEach(async () => {
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function put(files: Record<string, string>) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
  }

  async function change(script: ScriptedAnswer[], options: Change = {}) {
    const { files = FILES, words = "add subtracts; make it add", model, policy, round, again } = options;
    if (!again) {
      await server?.close();
      put(files);
      server = await modelServer(script);
    }
    const { context, blobs } = fake;
    const text = await blobs.write(words, "text/plain");
    const base_url = server.base_url("openai-compatible");
    const choice = modelChoice({ model: { base_url, ...model }, ...(policy && { policy }) });
    const once: Once = async (key, _, work) => {
      if (!kept.has(key)) kept.set(key, await work());
      return kept.get(key) as never;
    };
    const budget = { table: undefined as never, table_name: "none", now: Date.now };
    const task = { change: { kind: "prompt" as const, text }, round: 0, directory, ...round };
    const ports = { choice, once, budget, graph, code: codeWork };
    return applyModel(task, context, { ...ports, readTree: (tree) => readTree(tree, graph) });
  }

  return {
    change,
    put,
    read: (path: string) => readFileSync(join(directory, path), "utf8"),
    /** The fault that a change ends with. */
    async fault(script: ScriptedAnswer[], options?: Change): Promise<Fault> {
      const error = await change(script, options).catch((thrown: unknown) => thrown);
      if (!(error instanceof Fault))
        throw new Error(`no fault but ${JSON.stringify(error)} ${String(error)}`);
      return error;
    },
    asked: () => server.asked,
    questions: () => server.asked.map(({ body }) => JSON.stringify(body.messages)),
    artifacts: () => fake.artifacts,
    artifact: (path: string) => fake.artifacts.get(`codegen/model/${path}`)?.bytes.toString("utf8"),
    blobs: () => fake.blobs,
    /** As a worker that knows nothing of earlier answers. */
    forget: () => kept.clear(),
  };
}
