import { describe, expect, it } from "vitest";
import { codeWork } from "#lib/code/confined/code-work.ts";
import { chooseAgent } from "#lib/platform/config/agent-choice.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { AgentEntry } from "#schemas/config/codegen.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import { CoderOutput } from "#schemas/messages/coder.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { inTree } from "#test/fakes/diff-tree.ts";
import { bytesByPath } from "#test/fakes/edited-tree.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";
import { fakeSource, fakeSourcePorts } from "#test/fakes/source-tree.ts";
import { underEachBackend } from "#test/needing.ts";
import { promptVariable } from "./agent-prompt.ts";
import { runCodingAgent } from "./run-coding-agent.ts";

const KEY = "key-of-an-agent-0123456789";
const FILES = { "add.js": "export const add = (a, b) => a - b;\n", "docs/a.md": "a\n", "lib.bin": "\0one" };
const RIGHT = "sed -i 's/a - b/a + b/' add.js";

interface Asked {
  backend: SandboxBackend;
  words?: string;
  files?: Record<string, string>;
  limits?: Partial<SandboxProfile>;
  before?: { diff: string; report: object };
  test?: string;
}

async function run(entry: Partial<AgentEntry> & { command: string }, asked: Asked) {
  const { backend, words = "mend add", files = FILES, limits = {} } = asked;
  const fake = fakeAgentContext({ service: "coder", step: "code" });
  const { blobs } = fake;
  const write = (text: string) => blobs.write(text, "text/plain");
  const input = {
    source: await fakeSource(blobs, files),
    change: { kind: "command" as const, agent: "ours", text: await write(words) },
    round: asked.before ? 1 : 0,
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
    flaggedFilesAllowed: () => [],
    readKey: async (name) => (name === "MODEL_API_KEY_OURS" ? KEY : ""),
  });
  const output = result.output && CoderOutput.parse(result.output);
  const diff = output ? await blobs.readText(output.diff) : "";
  const log = fake.artifacts.get("codegen/agent.log")?.bytes.toString() ?? "";
  return { fake, result, output, diff, log };
}

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
      }
    });

    it("fails when it changes nothing, exits with another code, or meets a limit, with its log kept", async () => {
      const nothing = await run({ command: "echo thinking" }, { backend });
      expect(nothing.result).toMatchObject({ verdict: "failed", code: "AGENT_CHANGED_NOTHING" });
      expect(nothing.log).toBe("thinking\n");
      const ended = await run({ command: `${RIGHT}; echo broken; exit 3` }, { backend });
      expect(ended.result).toMatchObject({ verdict: "failed", code: "AGENT_FAILED" });
      expect(ended.result.message).toContain("exit code 3");
      expect(ended.result.output).toBeUndefined();
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
