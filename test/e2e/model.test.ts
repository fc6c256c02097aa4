import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Policies } from "#schemas/http/policies.ts";
import { TaskView } from "#schemas/http/task-view.ts";
import { runCli } from "#test/fakes/run-cli.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import { configsDirectory } from "../fakes/configs-directory.ts";
import { modelServer } from "../fakes/model-server.ts";
import { type ApiClient, developmentClient, tenantClient } from "./client.ts";
import { tinySource } from "./example.ts";

const SUBTRACTS = "export const add = (a, b) => a - b;";
const block = (search: string, replace: string) =>
  `add.js\n<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE\n`;
const RIGHT = `It adds now.\n\n${block(SUBTRACTS, "export const add = (a, b) => a + b;")}`;
const WRONG = `It multiplies now.\n\n${block(SUBTRACTS, "export const add = (a, b) => a * b;")}`;
const REPAIRED = block("export const add = (a, b) => a * b;", "export const add = (a, b) => a + b;");
const BACK_AND_FORTH = "export const add = (a, b) => a * b;";

const configs = configsDirectory();
let server: Awaited<ReturnType<typeof modelServer>>;
let stack: Stack;
let api: ApiClient;
beforeAll(async () => {
  server = await modelServer([{ text: RIGHT }]);
  const env = {
    MODEL_URL: server.completions_url,
    MODEL_NAME: "one-answer",
    CONFIG_DIRECTORY: configs.directory,
    MODEL_API_KEY_ANTHROPIC: "key-for-anthropic-0123456789",
  };
  stack = await startStack({ env });
  api = developmentClient(stack.url, stack.data_dir);
});
afterAll(async () => {
  await stack?.stop();
  await server.close();
  rmSync(stack.data_dir, { recursive: true, force: true });
  configs.remove();
});
beforeEach(() => void server.asked.splice(0));

const words = (fields: object = {}) => ({
  workflow: "change",
  source: tinySource(false),
  change: { kind: "prompt", text: "add subtracts; make it add" },
  test: "node --test --test-reporter=tap",
  ...fields,
});
const change = async (fields?: object) => {
  const { task_id } = await api.submit(words(fields));
  return api.ended(task_id);
};
const json = async (task_id: string, path: string) =>
  JSON.parse((await api.artifact(task_id, path)).toString("utf8"));

async function configure(
  models: object,
  defaults: object,
  agents: object = {},
  overrides: object[] = [],
): Promise<void> {
  const view = async () => {
    const { body } = await api.request("GET", "/api/policies");
    return Policies.parse(body).policies.find(({ file }) => file === "codegen.json");
  };
  const before = (await view())?.hash;
  const shared = { turns_max: 2, task_tokens_max: 1_000_000, task_usd_max: 5 };
  const days = { tenant_day_tokens_max: null, tenant_day_usd_max: null };
  const all = { model: null, ...shared, ...days, ...defaults };
  const value = { $schema: "x", models, agents, defaults: all, overrides };
  writeFileSync(join(configs.directory, "codegen.json"), JSON.stringify(value));
  await vi.waitUntil(async () => (await view())?.hash !== before, { timeout: 60_000, interval: 100 });
}

describe("a change in words", () => {
  it("is made, tested and passed, with the model of the environment", async () => {
    server.answer({ text: RIGHT });
    const view = await change();
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
    expect(await json(view.task_id, "codegen/metrics.json")).toMatchObject({
      ...{ provider: "model", files_changed: 1 },
      model: {
        name: "MODEL_NAME",
        model: "one-answer",
        turns: 1,
        rounds: 1,
        input_tokens: 100,
        output_tokens: 20,
      },
    });
    const summary = (await api.artifact(view.task_id, "codegen/summary.md")).toString("utf8");
    expect(summary).toContain("It adds now.");
    expect(summary).toContain("100 tokens in, 20 out");
    await api.artifact(view.task_id, "codegen/model/turn-1-request.json");
    await api.artifact(view.task_id, "codegen/model/turn-1-answer.md");
    expect(server.asked.map(({ path }) => path)).toEqual(["/v1/chat/completions"]);
  });

  it("takes a unified diff in a fence, as models wrote it before", async () => {
    const text = `\`\`\`diff\n--- a/add.js\n+++ b/add.js\n@@ -1 +1 @@\n-${SUBTRACTS}\n+export const add = (a, b) => a + b;\n\`\`\``;
    server.answer({ text });
    expect(await change()).toMatchObject({ verdict: "passed" });
  });

  it("is repaired with the failing tests, and every round's artifacts stay", async () => {
    server.answer({ text: WRONG }, { text: REPAIRED });
    const view = await change();
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
    expect(server.asked).toHaveLength(2);
    const second = JSON.stringify(server.asked[1]?.body);
    expect(second).toContain("What was tried");
    expect(second).toContain("a * b");
    expect(await json(view.task_id, "codegen/metrics.json")).toMatchObject({
      round: 1,
      model: { rounds: 2, task_tokens: 240 },
    });
    expect(await json(view.task_id, "codegen/earlier/codegen-0/metrics.json")).toMatchObject({ round: 0 });
    await api.artifact(view.task_id, "codegen/earlier/codegen-0/model/turn-1-request.json");
    const diff = (await api.artifact(view.task_id, "codegen/diff.patch")).toString("utf8");
    expect(diff).toContain(`-${SUBTRACTS}`);
    expect(diff).toContain("+export const add = (a, b) => a + b;");
  });

  it("goes from words to the user's files and to a pull request by the command line alone", async () => {
    const directory = mkdtempSync(join(tmpdir(), "model-cli-"));
    try {
      for (const [name, text] of Object.entries(tinySource(false).files)) {
        writeFileSync(join(directory, name), text);
      }
      server.answer({ text: WRONG }, { text: `Make add add.\n\n${REPAIRED}` });
      const cli = (...words: string[]) => runCli(words, { url: stack.url, key: api.key, cwd: directory });
      const prompt = [
        "--prompt",
        "add subtracts; make it add",
        "--test",
        "node --test --test-reporter=tap",
        "--profile",
        "trusted",
      ];
      const submitted = await cli("submit", ".", ...prompt, "--wait", "--json");
      const view = TaskView.parse(JSON.parse(submitted.stdout));
      expect(view, JSON.stringify(view.error)).toMatchObject({ verdict: "passed" });
      expect(submitted.stderr).toMatch(/codegen +[\d.]+ m?s +1 file changed, \+1 −1, 120 tokens, .* so far/);
      expect(submitted.stderr).toMatch(/codegen, repair 1 .*, 240 tokens, .* so far/);
      const printed = await cli("pr", view.task_id);
      expect(printed.stdout.split("\n")[0]).toBe("Make add add");
      expect(printed.stdout).toContain("**Passed**: 1 passed.\n");
      expect(printed.stdout).toContain("Failed in an earlier round and pass now:\n\n- <code>adds</code>\n");
      expect(printed.stdout).toMatch(
        /\| first \| .* \| 1 failed, 0 passed \| 120 \| .* \| 1 of 1 tests? failed\. \|/,
      );
      expect(printed.stdout).toMatch(/\| repair 1 \(kept\) \| .* \| 1 passed \| 120 \| .* \| passed \|/);
      const applied = await cli("apply", view.task_id, "--yes");
      expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining("Applied to ") });
      expect(readFileSync(join(directory, "add.js"), "utf8")).toBe("export const add = (a, b) => a + b;\n");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("ends when the same change fails the same way again, before its rounds are spent", async () => {
    const back = block(BACK_AND_FORTH, "export const add = (a, b) => a / b;");
    const forth = block("export const add = (a, b) => a / b;", BACK_AND_FORTH);
    server.answer({ text: WRONG }, { text: back }, { text: forth }, { text: back });
    const view = await change();
    expect(view).toMatchObject({ status: "failed", verdict: "failed", error: { code: "TESTS_FAILED" } });
    expect(view.error?.message).toContain("round 2 made the same change and failed the same way as round 0");
    expect(server.asked).toHaveLength(3);
  });

  it("never passes with wrong answers, and ends within its rounds with the tests' failure", async () => {
    const texts = ["1", "2", "3", "4", "5"].map((number, index, all) =>
      block(
        index === 0 ? SUBTRACTS : `export const add = () => ${all[index - 1]}00;`,
        `export const add = () => ${number}00;`,
      ),
    );
    server.answer(...texts.map((text) => ({ text })));
    const view = await change();
    expect(view).toMatchObject({ status: "failed", verdict: "failed", error: { code: "TESTS_FAILED" } });
    expect(server.asked).toHaveLength(4);
  });

  it("fails by the answer's own fault, and keeps request and answer", async () => {
    server.answer({ text: "I would rather not touch it." });
    const view = await change();
    expect(view).toMatchObject({ verdict: "failed", error: { code: "EDITS_MISSING", step: "codegen" } });
    expect((await api.artifact(view.task_id, "codegen/model/turn-1-answer.md")).toString()).toContain(
      "rather not",
    );
  });

  it("keeps them also when the endpoint refuses, and tells its own words", async () => {
    server.answer({ status: 401, body: '{"error":{"message":"Incorrect API key provided"}}' });
    const view = await change();
    expect(view).toMatchObject({ verdict: "error", error: { code: "MODEL_CREDENTIALS_REFUSED" } });
    expect(view.error?.message).toContain("Incorrect API key provided");
    expect((await api.artifact(view.task_id, "codegen/model/turn-1-answer.txt")).toString()).toContain(
      "HTTP 401",
    );
    await api.artifact(view.task_id, "codegen/model/turn-1-request.json");
  });

  it("goes to the model that configs/codegen.json names, as soon as it does", async () => {
    const claude = {
      ...{ provider: "anthropic", model: "claude-x", base_url: server.base_url("anthropic") },
      ...{ api_key: "MODEL_API_KEY_ANTHROPIC", stall_seconds_max: 1 },
      usd_per_million_tokens: { input: 10, output: 100 },
    };
    await configure({ claude }, { model: "claude" });
    server.answer({ text: RIGHT, middle: "stall" }, { text: RIGHT, middle: "cut" }, { text: RIGHT });
    const view = await change();
    expect(view, JSON.stringify(view.error)).toMatchObject({ verdict: "passed" });
    expect(server.asked.map(({ path }) => path)).toEqual(["/v1/messages", "/v1/messages", "/v1/messages"]);
    expect(server.asked[0]?.headers["x-api-key"]).toBe("key-for-anthropic-0123456789");
    expect(await json(view.task_id, "codegen/metrics.json")).toMatchObject({
      model: { name: "claude", provider: "anthropic", usd: 0.003 },
    });
  });

  it("passes at one endpoint while another is down, whose circuit alone opens", async () => {
    const dead = await modelServer([]);
    const model = { provider: "openai-compatible", model: "x", api_key: null };
    const models = {
      up: { ...model, base_url: server.base_url("openai-compatible") },
      down: { ...model, base_url: dead.base_url("openai-compatible") },
    };
    await dead.close();
    await configure(models, { model: "up" }, {}, [{ match: { tenant: "other" }, model: "down" }]);
    const other = await tenantClient(stack.url, stack.data_dir, "other");
    const waiting = [await other.submit(words()), await other.submit(words()), await other.submit(words())];
    const circuits = async () => {
      const { body } = await api.request<{ circuits: { key: string; state: string }[] }>(
        "GET",
        "/api/circuits",
      );
      return body.circuits.map(({ key, state }) => `${key} ${state}`);
    };
    const place = (origin: string) => origin.replace("http://", "").replaceAll(/[.:]/g, "-");
    const circuit = (origin: string) => `codegen.worker.model@openai-compatible_${place(origin)}`;
    const is_open = async () => (await circuits()).some((one) => one === `${circuit(dead.origin)} open`);
    await vi.waitUntil(is_open, { timeout: 90_000, interval: 200 });
    server.answer({ text: RIGHT });
    const view = await change();
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
    expect(server.asked).toHaveLength(1);
    const others = (await circuits()).filter((one) => !one.startsWith(circuit(dead.origin)));
    expect(others.filter((one) => !one.endsWith(" closed"))).toEqual([]);
    for (const { task_id } of waiting) {
      const { body } = await other.request<TaskView>("GET", `/api/tasks/${task_id}`);
      expect(body).not.toHaveProperty("ended_at");
      await other.request("POST", `/api/tasks/${task_id}/cancel`);
    }
  });

  it("is refused at submission when its key is not set, which is named", async () => {
    const gpt = { provider: "openai-compatible", model: "x", base_url: server.base_url("openai-compatible") };
    await configure({ gpt: { ...gpt, api_key: "MODEL_API_KEY_OPENAI" } }, { model: "gpt" });
    const { status, body } = await api.request<{ code: string; detail: string }>(
      "POST",
      "/api/tasks",
      words(),
    );
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: "MODEL_NOT_CONFIGURED",
      detail: expect.stringContaining("MODEL_API_KEY_OPENAI"),
    });
    expect(server.asked).toEqual([]);
  });

  it("is not asked for when the next question could pass the budget", async () => {
    await configure({}, { task_tokens_max: 5000 });
    const view = await change();
    expect(view).toMatchObject({ verdict: "failed", error: { code: "MODEL_BUDGET_SPENT" } });
    expect(view.error?.message).toContain("task_tokens_max");
    expect(server.asked).toEqual([]);
  });
});

describe("flagged files", () => {
  const LOCK = "package-lock.json\n<<<<<<< SEARCH\n=======\n{}\n>>>>>>> REPLACE\n";

  it("are refused to a model, which is told why and may do without", async () => {
    await configure({}, {});
    server.answer(
      { text: `${RIGHT}\n${LOCK}` },
      { text: block("export const add = (a, b) => a + b;", "export const add = (a, b) => b + a;") },
    );
    const view = await change();
    expect(view, JSON.stringify(view.error)).toMatchObject({ verdict: "passed" });
    expect(JSON.stringify(server.asked[1]?.body)).toContain("it is a lock file");
    const { files } = await json(view.task_id, "codegen/metrics.json");
    expect(files.map(({ path }: { path: string }) => path)).toEqual(["add.js"]);
  });

  it("end the step by their code when it insists, and are taken and flagged where the policy allows them", async () => {
    server.answer({ text: `${RIGHT}\n${LOCK}` }, { text: LOCK });
    expect(await change()).toMatchObject({ verdict: "failed", error: { code: "EDIT_FILE_FLAGGED" } });
    await configure({}, { flagged_files_allowed: ["lockfile"] });
    server.answer({ text: `${RIGHT}\n${LOCK}` });
    const view = await change();
    expect(view, JSON.stringify(view.error)).toMatchObject({ verdict: "passed" });
    const { files } = await json(view.task_id, "codegen/metrics.json");
    expect(files).toContainEqual(expect.objectContaining({ path: "package-lock.json", flag: "lockfile" }));
    const summary = (await api.artifact(view.task_id, "codegen/summary.md")).toString("utf8");
    expect(summary).toContain("package-lock.json</code>: it is a lock file");
  });

  it("of a submitted patch are its submitter's own, and flagged", async () => {
    await configure({}, {});
    const diff = "--- /dev/null\n+++ b/.github/workflows/a.yml\n@@ -0,0 +1 @@\n+on: push\n";
    const view = await change({ change: { kind: "patch", diff }, test: "true" });
    expect(view).toMatchObject({ verdict: "passed" });
    expect(await json(view.task_id, "codegen/metrics.json")).toMatchObject({ files: [{ flag: "ci" }] });
  });
});

describe("a change by a coding agent", () => {
  const WRONG_THEN_RIGHT = `if [ "$AGENT_ROUND" = 0 ]; then sed -i 's/a - b/a * b/' add.js; else grep -q 'What was tried' {prompt_file} && sed -i 's/a \\* b/a + b/' add.js; fi; echo "asked with $AGENT_KEY"`;
  const MENDS = "sed -i 's/a - b/a + b/' add.js";
  const agents = {
    mender: { command: WRONG_THEN_RIGHT, secrets: { AGENT_KEY: "MODEL_API_KEY_ANTHROPIC" } },
    locker: { command: `${MENDS}; echo {} > package-lock.json` },
    idle: { command: "echo thinking" },
    learner: {
      command: `if grep -q 'What was refused' {prompt_file}; then ${MENDS}; else ${MENDS}; echo {} > package-lock.json; fi; echo '{"input_tokens":90,"output_tokens":10,"usd":0.25}' > "$HOME/use.json"`,
      usage: { file: "use.json" },
    },
    keyless: { command: "true", secrets: { K: "MODEL_API_KEY_NOWHERE" } },
  };
  const by = (agent: string, more: object = {}) =>
    words({ change: { kind: "prompt", text: "add subtracts; make it add", agent }, ...more });
  const made = async (agent: string) => {
    const { task_id } = await api.submit(by(agent));
    return api.ended(task_id);
  };

  it("is verified, repaired with the failing evidence, and asks no model of ours", async () => {
    await configure({}, {}, agents);
    const view = await made("mender");
    expect(view, JSON.stringify(view.error)).toMatchObject({ status: "succeeded", verdict: "passed" });
    expect(view.steps.map(({ step, round }) => `${step} ${round}`)).toEqual([
      ...["index 0", "code 0", "codegen 0", "buildtest 0", "code 1", "codegen 1", "buildtest 1"],
      "index_result 0",
    ]);
    expect(await json(view.task_id, "codegen/metrics.json")).toMatchObject({
      ...{ provider: "command", round: 1, files_changed: 1 },
      agent: { name: "mender", log: "codegen/agent.log" },
    });
    const log = (await api.artifact(view.task_id, "codegen/agent.log")).toString("utf8");
    expect(log).toBe("asked with [redacted]\n");
    const diff = (await api.artifact(view.task_id, "codegen/diff.patch")).toString("utf8");
    expect(diff).toContain("+export const add = (a, b) => a + b;");
    expect(server.asked).toEqual([]);
    const summary = (await api.artifact(view.task_id, "codegen/summary.md")).toString("utf8");
    expect(summary).toContain("Its use of models: not stated.");
  });

  it("is told what was refused of its change, and what it states of its use is counted", async () => {
    const view = await made("learner");
    expect(view, JSON.stringify(view.error)).toMatchObject({ verdict: "passed" });
    expect(view.steps.map(({ step, round }) => `${step} ${round}`)).toEqual([
      ...["index 0", "code 0", "codegen 0", "code 1", "codegen 1", "buildtest 1", "index_result 0"],
    ]);
    const metrics = await json(view.task_id, "codegen/metrics.json");
    expect(metrics).toMatchObject({
      ...{ round: 1, files: [{ path: "add.js" }] },
      agent: { use: { tokens: 100, usd: 0.25 }, rounds: 2, task_tokens: 200, task_usd: 0.5 },
    });
    const summary = (await api.artifact(view.task_id, "codegen/summary.md")).toString("utf8");
    expect(summary).toContain("Its use of models: 100 tokens, 0.2500 USD, as it states.");
    expect(summary).toContain("All rounds: 200 tokens, 0.5000 USD.");
    expect(summary).toMatch(/\| first \| none \| – \| 100 \| .*package-lock\.json/);
    const { body } = await api.request("GET", "/api/metrics/summary");
    expect(JSON.stringify(body)).toContain("model");
  });

  it("is not run again when what it stated reaches the budget, of the task or of the tenant's day", async () => {
    await configure({}, { task_usd_max: 0.2 }, agents);
    const spent = await made("learner");
    expect(spent).toMatchObject({ verdict: "failed", error: { code: "CHANGE_FLAGGED" } });
    expect(spent.error?.message).toContain("repair round 1: MODEL_BUDGET_SPENT");
    await configure({}, { tenant_day_usd_max: 0.2 }, agents);
    const parked = await made("learner");
    expect(parked, JSON.stringify(parked.steps)).toMatchObject({
      ...{ verdict: "error", error: { code: "WAIT_EXCEEDS_DEADLINE", step: "code" } },
    });
    expect(parked.error?.message).toContain("tenant_day_usd_max");
    await configure({}, {}, agents);
  });

  it("fails by its own codes, with what it printed kept", async () => {
    const idle = await made("idle");
    expect(idle).toMatchObject({ verdict: "failed", error: { code: "AGENT_CHANGED_NOTHING", step: "code" } });
    expect((await api.artifact(idle.task_id, "codegen/agent.log")).toString("utf8")).toBe("thinking\n");
    const locker = await made("locker");
    expect(locker).toMatchObject({ verdict: "failed", error: { code: "CHANGE_FLAGGED", step: "codegen" } });
    expect(locker.error?.message).toContain("package-lock.json");
  });

  it("is refused at submission by an unknown name, a missing key, or a workflow that runs none", async () => {
    const refused = async (submission: object) => {
      const { status, body } = await api.request<{ code: string; detail: string }>(
        "POST",
        "/api/tasks",
        submission,
      );
      return `${status} ${body.code} ${body.detail}`;
    };
    expect(await refused(by("nobody"))).toMatch(
      /^422 AGENT_UNKNOWN .*mender, locker, idle, learner, keyless/,
    );
    expect(await refused(by("keyless"))).toMatch(/^422 AGENT_NOT_CONFIGURED .*MODEL_API_KEY_NOWHERE/);
    expect(await refused(by("Nobody!"))).toMatch(/^422 BODY_INVALID/);
  });
});
