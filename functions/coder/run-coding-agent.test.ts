import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { codeWork } from "#lib/code/confined/code-work.ts";
import { chooseAgent } from "#lib/platform/config/agent-choice.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { AgentEntry, type CodegenPolicy } from "#schemas/config/codegen.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { CoderOutput } from "#schemas/messages/coder.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { inTree } from "#test/fakes/diff-tree.ts";
import { bytesByPath } from "#test/fakes/edited-tree.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { fakeSource, fakeSourcePorts } from "#test/fakes/source-tree.ts";
import { underEachBackend } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { promptVariable } from "./agent-prompt.ts";
import { runCodingAgent } from "./run-coding-agent.ts";

const KEY = "key-of-an-agent-0123456789";
const FILES = { "add.js": "export const add = (a, b) => a - b;\n", "docs/a.md": "a\n", "lib.bin": "\0one" };
const RIGHT = "sed -i 's/a - b/a + b/' add.js";

const POLICY: CodegenPolicy = {
  ...{ model: null, turns_max: 1, task_tokens_max: 1000, task_usd_max: 1 },
  ...{ tenant_day_tokens_max: null, tenant_day_usd_max: null, flagged_files_allowed: [] },
};
/** Without a budget for a day nothing is asked of the table. */
const NO_TABLE = { send: () => Promise.reject(new Error("the table was asked")) } as unknown as TableClient;

interface Asked {
  backend: SandboxBackend;
  words?: string;
  files?: Record<string, string>;
  limits?: Partial<SandboxProfile>;
  before?: { diff: string; report: object };
  test?: string;
  refused?: { code: string; message: string; diff?: string };
  spent?: { tokens: number; usd_micros: number };
  policy?: Partial<CodegenPolicy>;
  table?: TableClient;
}

async function run(entry: Partial<AgentEntry> & { command: string }, asked: Asked) {
  const { backend, words = "mend add", files = FILES, limits = {} } = asked;
  const fake = fakeAgentContext({ service: "coder", step: "code" });
  const { blobs } = fake;
  const write = (text: string) => blobs.write(text, "text/plain");
  const input = {
    source: await fakeSource(blobs, files),
    change: { kind: "command" as const, agent: "ours", text: await write(words) },
    round: asked.before || asked.refused ? 1 : 0,
    ...(asked.spent && { spent: asked.spent }),
    ...(asked.refused && {
      refusal: { code: asked.refused.code, message: asked.refused.message },
      ...(asked.refused.diff !== undefined && { refused_diff: await write(asked.refused.diff) }),
    }),
    profile: "small",
    ...(asked.test !== undefined && { test: asked.test }),
    ...(asked.before && {
      previous_diff: await write(asked.before.diff),
      report: await write(JSON.stringify(asked.before.report)),
    }),
  };
  const profiles = { small: generousProfile(limits), tiny: generousProfile({ wall_seconds: 1 }) };
  const limits_file = {
    $schema: "",
    source_bytes_max: 1e6,
    tree_bytes_max: 1e6,
    tree_files_max: 100,
    profiles,
  };
  const result = await runCodingAgent(input, fake.context, {
    ...fakeSourcePorts(blobs),
    code: codeWork,
    backend,
    sandboxLimits: () => ({ value: limits_file, hash: "b".repeat(64) }),
    codegen: () => ({ agents: { ours: AgentEntry.parse(entry) } }),
    policy: { ...POLICY, ...asked.policy },
    budget: { table: asked.table ?? NO_TABLE, table_name: "t", now: () => Date.UTC(2026, 0, 2) },
    readKey: async (name) => (name === "MODEL_API_KEY_OURS" ? KEY : ""),
  });
  const output = result.output && CoderOutput.parse(result.output);
  const diff = output?.diff ? await blobs.readText(output.diff) : "";
  const log = fake.artifacts.get("codegen/agent.log")?.bytes.toString() ?? "";
  return { fake, result, output, diff, log };
}

const STATES = `${RIGHT}; echo 'Tokens: 1.2k sent, 30 received. Cost: $0.0025 message'`;
const LINES = ["Tokens: {input_tokens} sent, {output_tokens} received. Cost: \u0024{usd} message"];

const NO_RUN = { exit_code: 1, signal: null, limit: null, network: null };

await underEachBackend(
  (name) => `a coding agent under the ${name} backend`,
  (backend) => {
    it("changes bytes, modes and links, makes and deletes files, and the diff says all of it", async () => {
      const command = `${RIGHT}; chmod +x docs/a.md; printf 'new\\n' > new.txt; rm -f lib.bin; printf '\\0two' > two.bin; ln -s add.js link.js`;
      const { result, diff } = await run({ command }, { backend });
      expect(result, result.message).toMatchObject({ verdict: "passed", output: { run: { name: "ours" } } });
      await inTree(FILES, async (directory) => {
        await codeWork.applyDiff(directory, Buffer.from(diff));
        expect(await bytesByPath(directory)).toEqual({
          ...{ "add.js": "export const add = (a, b) => a + b;\n", "docs/a.md": "a\n", "new.txt": "new\n" },
          ...{ "two.bin": "\0two", "link.js": "add.js" },
        });
      });
      expect(diff).toContain("old mode 100644\nnew mode 100755");
      expect(diff).toContain("deleted file mode 100644");
    });

    it("is told the words by file, by variable and in its command line, which no shell reads", async () => {
      const words = 'a\'b "c" $(touch hacked) `touch hacked` ; touch hacked \\ ümläut';
      const command = `printf '%s' {prompt} > one.txt; cat {prompt_file} > two.txt; printf '%s' "$AGENT_PROMPT" > three.txt; echo $AGENT_ROUND > round.txt`;
      const { diff } = await run({ command }, { backend, words, test: "npm test" });
      expect(diff.split(`+${words}`)).toHaveLength(4);
      expect(diff).not.toContain("b/hacked");
      expect(diff).toContain("tested with: npm test");
      expect(diff).toMatch(/round\.txt\n@@ -0,0 \+1,1 @@\n\+0/);
    });

    it("gets its key by the key's name, which stands in no log", async () => {
      const command = `${RIGHT}; echo "the key is $MY_KEY"; env >&2`;
      const { result, log } = await run({ command, secrets: { MY_KEY: "MODEL_API_KEY_OURS" } }, { backend });
      expect(result.verdict).toBe("passed");
      expect(log).toContain("the key is [redacted]");
      expect(log).not.toContain(KEY);
    });

    it("and a key that it wrote into a file ends it", async () => {
      const command = 'echo "$MY_KEY" > .env.local';
      const { result } = await run({ command, secrets: { MY_KEY: "MODEL_API_KEY_OURS" } }, { backend });
      expect(result).toMatchObject({ verdict: "failed", code: "AGENT_WROTE_SECRET" });
      expect(JSON.stringify(result)).not.toContain(KEY);
      expect(result.output).not.toHaveProperty("diff");
    });

    it("leaves what it installed, sockets and a repository of its own out of the change", async () => {
      const command = `${RIGHT}; mkdir -p node_modules/x .git; echo 1 > node_modules/x/index.js; echo 1 > .git/config; touch .aider.chat.md; mkfifo pipe; mkdir -p deep/.git; echo 1 > deep/.git/x; chmod 000 docs`;
      const left_out_files = ["**/node_modules/**", "**/.aider*"];
      const files = { ...FILES, "node_modules/kept/a.js": "1\n" };
      const { result, output, diff } = await run({ command, left_out_files }, { backend, files });
      expect(result, result.message).toMatchObject({ verdict: "passed" });
      expect(output).toBeDefined();
      expect(diff.match(/^diff --git .*$/gm)).toEqual(["diff --git a/add.js b/add.js"]);
    });

    it("is refused a change of what it may not touch, by whatever name", async () => {
      const protected_files = ["docs/**"];
      for (const command of ["echo b > docs/a.md", "rm docs/a.md", "mv docs/a.md x.md", "echo > docs/new"]) {
        const { result } = await run({ command: `${command}; ${RIGHT}`, protected_files }, { backend });
        expect(result, command).toMatchObject({ verdict: "failed", code: "AGENT_CHANGED_PROTECTED" });
        expect(result.message).toContain("docs/");
        expect(result.output, "the next round is shown it").toHaveProperty("diff");
      }
    });

    it("fails when it changes nothing, exits with another code, or meets a limit, with its log kept", async () => {
      const nothing = await run({ command: "echo thinking" }, { backend });
      expect(nothing.result).toMatchObject({ verdict: "failed", code: "AGENT_CHANGED_NOTHING" });
      expect(nothing.log).toBe("thinking\n");
      const ended = await run({ command: `${RIGHT}; echo broken; exit 3` }, { backend });
      expect(ended.result).toMatchObject({ verdict: "failed", code: "AGENT_FAILED" });
      expect(ended.result.message).toContain("exit code 3");
      expect(ended.output?.diff).toBeUndefined();
      const slow = await run({ command: `${RIGHT}; sleep 60`, wall_seconds: 1 }, { backend });
      expect(slow.result).toMatchObject({ verdict: "failed", code: "SANDBOX_WALL_TIME" });
      const own = await run({ command: `${RIGHT}; sleep 60`, profile: "tiny" }, { backend });
      expect(own.result).toMatchObject({ code: "SANDBOX_WALL_TIME" });
      const loud = await run({ command: `${RIGHT}; yes`, output_bytes_max: 5000 }, { backend });
      expect(loud.result).toMatchObject({ code: "SANDBOX_OUTPUT" });
    });

    it("begins a repair with its last change in the tree, and is told what failed", async () => {
      const wrong = await run({ command: "sed -i 's/a - b/a * b/' add.js" }, { backend });
      const tests = [
        { name: "adds", file: "add.test.js", status: "failed", duration_ms: 1, failure: "3 is not 2" },
      ];
      const before = { diff: wrong.diff, report: reportOf(tests) };
      const command = `cat {prompt_file} >&2; sed -i 's/a \\* b/a + b/' add.js`;
      const { result, diff, log } = await run({ command }, { backend, before });
      expect(result, result.message).toMatchObject({ verdict: "passed" });
      expect(diff).toContain("+export const add = (a, b) => a + b;");
      expect(log).toContain("3 is not 2");
      const again = await run({ command: "true" }, { backend, before });
      expect(again.result).toMatchObject({ verdict: "failed", code: "AGENT_CHANGED_NOTHING" });
      expect(again.result.message).toContain("since the round before");
    });

    it("begins after a refusal as the round before did, and is told what was refused and why", async () => {
      const refused = {
        ...{ code: "CHANGE_FLAGGED", message: "package-lock.json is a lock file." },
        diff: "diff --git a/package-lock.json b/package-lock.json\n+refused line\n",
      };
      const command = `cat {prompt_file}; ${RIGHT}`;
      const { result, diff, log } = await run({ command }, { backend, refused });
      expect(result, result.message).toMatchObject({ verdict: "passed" });
      expect(log).toContain(
        "was refused, and was not tested: package-lock.json is a lock file. (CHANGE_FLAGGED)",
      );
      expect(log).toContain("+refused line");
      expect(diff).not.toContain("package-lock");
      const first = await run({ command }, { backend });
      expect(first.log).not.toContain("refused, and was not tested");
    });

    it("states its use in lines that it prints, or in a file below its home, which are counted", async () => {
      const printed = await run({ command: STATES, usage: { lines: LINES } }, { backend });
      const use = { tokens: 1230, input_tokens: 1200, output_tokens: 30, usd: 0.0025 };
      expect(printed.output?.run.use).toEqual({ ...use, cached_input_tokens: null });
      expect(printed.output?.spent).toEqual({ tokens: 1230, usd_micros: 2500 });
      expect(printed.fake.counted.get("model_tokens")).toBe(1230);
      expect(printed.fake.counted.get("model_usd_micros")).toBe(2500);
      const write = `mkdir -p "$HOME/.ours"; echo '{"tokens":7}' > "$HOME/.ours/use.jsonl"; echo '{"tokens":5,"usd":"x"}' >> "$HOME/.ours/use.jsonl"`;
      const usage = { file: ".ours/use.jsonl", lines: [] };
      const spent = { tokens: 100, usd_micros: 10 };
      const written = await run({ command: `${RIGHT}; ${write}`, usage }, { backend, spent });
      expect(written.output?.run.use).toMatchObject({ tokens: 12, usd: null });
      expect(written.output?.spent).toEqual({ tokens: 112, usd_micros: 10 });
      expect(written.diff).not.toContain("use.jsonl");
    });

    it("has its use counted when it fails, and none when it states none", async () => {
      const failing = await run({ command: `${STATES}; exit 1`, usage: { lines: LINES } }, { backend });
      expect(failing.result).toMatchObject({ code: "AGENT_FAILED", output: { spent: { tokens: 1230 } } });
      const silent = await run({ command: RIGHT, usage: { lines: LINES } }, { backend });
      expect(silent.output).toMatchObject({ run: { use: null } });
      expect(silent.output).not.toHaveProperty("spent");
      const unnamed = await run({ command: STATES }, { backend });
      expect(unnamed.output).toMatchObject({ run: { use: null } });
    });

    it("cannot have another file, a link or a pipe read as its usage file", async () => {
      const usage = { file: "use.json", lines: [] };
      const outside = join(temporaryDirectory("usage"), "use.json");
      writeFileSync(outside, '{"tokens":7}');
      for (const make of [
        `ln -s ${outside} "$HOME/use.json"`,
        `mkfifo "$HOME/use.json"`,
        `mkdir "$HOME/use.json"`,
      ]) {
        const { result, output } = await run({ command: `${RIGHT}; ${make}`, usage }, { backend });
        expect(result, `${make} ${result.message}`).toMatchObject({ verdict: "passed" });
        expect(output?.run.use, make).toBeNull();
      }
      const through = { file: "away/use.json", lines: [] };
      const command = `${RIGHT}; ln -s ${dirname(outside)} "$HOME/away"`;
      expect((await run({ command, usage: through }, { backend })).output?.run.use).toBeNull();
    });
  },
);

function reportOf(tests: object[]) {
  const usage = {
    ...{
      wall_ms: 1,
      cpu_ms: 1,
      memory_bytes_peak: 1,
      processes_peak: 1,
      open_files_peak: 1,
      bytes_written: 0,
    },
    ...{ disk_bytes_peak: 0, inodes_peak: 0, file_bytes_peak: 0, output_bytes: 1, network_bytes: null },
  };
  return {
    ...{ verdict: "failed", code: "TESTS_FAILED", reason: "1 test failed", first_failure: null },
    ...{ test_notice: null, source_sha256: "a".repeat(64), diff_sha256: null, profile: "small" },
    ...{ profile_hash: "b".repeat(64), duration_ms: 1, isolation: "full", isolation_backend: "bubblewrap" },
    not_enforced: [],
    phases: [{ name: "test", log: null, command: "t", status: "failed", ...NO_RUN, usage }],
    ...{ test_format: "tap", test_reports: [], test_problems: [], tests },
    ...{ tests_passed: 0, tests_failed: 1, tests_skipped: 0 },
  };
}

describe("a coding agent's budget", () => {
  const backend = processBackend;
  const asking = (asked: Partial<Asked>) =>
    run({ command: STATES, usage: { lines: LINES } }, { backend, ...asked });

  it("of the task refuses another run once it is reached, naming the setting", async () => {
    await expect(asking({ spent: { tokens: 1000, usd_micros: 0 } })).rejects.toMatchObject({
      ...{ code: "MODEL_BUDGET_SPENT", message: expect.stringContaining("task_tokens_max") },
    });
    await expect(asking({ spent: { tokens: 1, usd_micros: 1e6 } })).rejects.toMatchObject({
      ...{ code: "MODEL_BUDGET_SPENT", message: expect.stringContaining("task_usd_max") },
    });
    const { result } = await asking({ spent: { tokens: 999, usd_micros: 999_999 } });
    expect(result.verdict).toBe("passed");
  });

  it("of the tenant's day sets the least aside, and adds what it states", async () => {
    const sent: { ExpressionAttributeValues: Record<string, number> }[] = [];
    const table = {
      send: async ({ input }: { input: (typeof sent)[number] }) => {
        sent.push(input);
        return {};
      },
    } as unknown as TableClient;
    await asking({ table, policy: { tenant_day_tokens_max: 500 } });
    expect(sent.map((one) => one.ExpressionAttributeValues)).toMatchObject([
      { ":tokens": 1, ":tokens_room": 499 },
      { ":tokens": 1229, ":usd_micros": 2499 },
    ]);
    const full = {
      send: async () => {
        throw new ConditionalCheckFailedException({ message: "", $metadata: {} });
      },
    } as unknown as TableClient;
    await expect(asking({ table: full, policy: { tenant_day_usd_max: 1 } })).rejects.toMatchObject({
      ...{ code: "MODEL_DAY_BUDGET_SPENT", message: expect.stringContaining("tenant_day_usd_max") },
    });
  });
});

describe("a coding agent", () => {
  it("is known by name, to those who may use it", () => {
    const agents = {
      aider: AgentEntry.parse({ command: "aider" }),
      own: AgentEntry.parse({ command: "own", tenants: ["acme"] }),
    };
    const asking = (name: string, tenant: string) => chooseAgent({ agents }, { name, tenant });
    expect(asking("aider", "other")).toMatchObject({ choice: { name: "aider" } });
    expect(asking("own", "acme")).toMatchObject({ choice: { name: "own" } });
    expect(asking("own", "other")).toEqual({ problem: expect.stringMatching(/no agent "own".* has aider$/) });
    expect(asking("toString", "acme")).toEqual({ problem: expect.stringContaining("aider, own") });
    expect(chooseAgent({ agents: {} }, { name: "x", tenant: "t" })).toEqual({
      problem: expect.stringContaining("none for your tenant"),
    });
  });

  it("gets a prompt that is too long for a variable cut, between characters, and is told where the rest is", () => {
    const variable = promptVariable("ä".repeat(60_000));
    expect(Buffer.byteLength(variable)).toBeLessThan(100_200);
    expect(variable).not.toContain("\uFFFD");
    expect(variable).toMatch(/ä\n… The rest is in the file that AGENT_PROMPT_FILE names\.$/);
    expect(promptVariable("short")).toBe("short");
  });
});
