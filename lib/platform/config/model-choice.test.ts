import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { definitions } from "#lib/platform/config/config-definitions.ts";
import { chooseModel } from "#lib/platform/config/model-choice.ts";
import { parseConfig } from "#lib/platform/config/parse-config.ts";
import type { ModelSettings } from "#lib/platform/settings/environment.ts";
import type { CodegenConfig } from "#schemas/config/codegen.ts";

const shipped = JSON.parse(readFileSync("configs/codegen.json", "utf8"));
const local = { provider: "openai-compatible", model: "qwen", base_url: "http://127.0.0.1:11434/v1" };
const claude = { provider: "anthropic", model: "claude-x", api_key: "MODEL_API_KEY_ANTHROPIC" };

function configOf(changes: object): CodegenConfig {
  const bytes = Buffer.from(JSON.stringify({ ...shipped, ...changes }));
  return parseConfig(definitions.codegen, bytes, { services: [] });
}
const withModel = (model: string, changes: object = {}) =>
  configOf({ models: { local, claude }, defaults: { ...shipped.defaults, model }, ...changes });
const environment = (changes: Partial<ModelSettings> = {}, keys: object = {}): ModelSettings => ({
  ...{ url: "", name: "" },
  ...changes,
  api_keys: {
    ...{
      MODEL_API_KEY: "",
      MODEL_API_KEY_ANTHROPIC: "",
      MODEL_API_KEY_BEDROCK: "",
      MODEL_API_KEY_OPENAI: "",
    },
    ...keys,
  },
});
const acme = { tenant: "acme", stage: "prod" };

describe("the model of a task", () => {
  it("is the one of the environment as long as the file names none", () => {
    const settings = environment(
      { url: "http://127.0.0.1:1/v1/chat/completions", name: "m" },
      { MODEL_API_KEY: "k" },
    );
    expect(chooseModel(configOf({}), acme, settings)).toMatchObject({
      choice: {
        ...{ provider: "openai-compatible", model: "m", secret: "k", stream: false },
        endpoint: "http://127.0.0.1:1/v1/chat/completions",
      },
    });
  });

  it.each([
    ["nothing is set", environment(), /MODEL_URL and MODEL_NAME are not set/],
    ["no name is set", environment({ url: "http://x/v1" }), /MODEL_NAME is not set/],
    ["no URL is set", environment({ name: "m" }), /MODEL_URL is not set/],
  ])("is missing, and the setting is named, when %s", (_, settings, naming) => {
    expect(chooseModel(configOf({}), acme, settings)).toEqual({ problem: expect.stringMatching(naming) });
  });

  it("is the one of the file, with its defaults", () => {
    expect(chooseModel(withModel("local"), acme, environment())).toMatchObject({
      choice: { ...local, name: "local", secret: "", stall_seconds_max: 60, policy: { turns_max: 4 } },
    });
  });

  it("needs its key, whose variable is named when it is not set", () => {
    const problem = { problem: expect.stringContaining("MODEL_API_KEY_ANTHROPIC, which is not set") };
    expect(chooseModel(withModel("claude"), acme, environment())).toEqual(problem);
    expect(chooseModel(withModel("claude"), acme, environment(), "unseen")).toMatchObject({
      choice: { name: "claude" },
    });
    const settings = environment({}, { MODEL_API_KEY_ANTHROPIC: "k" });
    expect(chooseModel(withModel("claude"), acme, settings)).toMatchObject({ choice: { secret: "k" } });
  });

  it("has a circuit for each endpoint, which the entry may name, and hosts that look alike share none", () => {
    const circuit = (base_url: string | undefined, more: object = {}) => {
      const m = { provider: "openai-compatible", model: "m", ...(base_url && { base_url }), ...more };
      const config = configOf({ models: { m }, defaults: { ...shipped.defaults, model: "m" } });
      const chosen = chooseModel(config, acme, environment(), "unseen");
      return "choice" in chosen ? chosen.choice.circuit : chosen.problem;
    };
    expect(circuit("http://127.0.0.1:11434/v1")).toBe("openai-compatible_127-0-0-1-11434");
    expect(circuit("http://127.0.0.1:11434/other")).toBe("openai-compatible_127-0-0-1-11434");
    expect(circuit("http://127.0.0.1:11435/v1")).toBe("openai-compatible_127-0-0-1-11435");
    expect(circuit("https://a.example/v1")).not.toBe(circuit("https://a-example/v1"));
    expect(circuit("https://a.example/v1", { circuit: "ours" })).toBe("ours");
    const anthropic = { provider: "anthropic", api_key: "MODEL_API_KEY_A" };
    expect(circuit(undefined, anthropic)).toMatch(/^anthropic_api-anthropic-com/);
    const bedrock = (region: string) =>
      circuit(undefined, { provider: "amazon-bedrock", api_key: null, region });
    expect(bedrock("eu-central-1")).not.toBe(bedrock("us-east-1"));
    const long = (last: string) => circuit(`https://${"a".repeat(60)}.${last}/v1`);
    for (const name of [long("x"), long("y"), circuit("http://[::1]:1/v1"), bedrock("us-east-1")]) {
      expect(name).toMatch(/^[a-z0-9][a-z0-9_-]{0,62}$/);
    }
    expect(long("x")).not.toBe(long("y"));
  });

  it("and its budget follow tenant and stage, more labels before fewer", () => {
    const config = withModel("local", {
      overrides: [
        { match: { tenant: "acme", stage: "prod" }, task_tokens_max: 3 },
        { match: { tenant: "acme" }, task_tokens_max: 1, model: "claude" },
        { match: { stage: "prod" }, task_tokens_max: 2, task_usd_max: null },
        { match: { tenant: "other" }, task_tokens_max: 9 },
      ],
    });
    const of = (question: typeof acme) => {
      const chosen = chooseModel(config, question, environment({}, { MODEL_API_KEY_ANTHROPIC: "k" }));
      if (!("choice" in chosen)) throw new Error(chosen.problem);
      const { name, policy } = chosen.choice;
      return [name, policy.task_tokens_max, policy.task_usd_max];
    };
    expect(of(acme)).toEqual(["claude", 3, null]);
    expect(of({ tenant: "acme", stage: "local" })).toEqual(["claude", 1, 5]);
    expect(of({ tenant: "third", stage: "prod" })).toEqual(["local", 2, null]);
    expect(of({ tenant: "other", stage: "prod" })).toEqual(["local", 9, null]);
  });
});

describe("configs/codegen.json", () => {
  const refused = (changes: object) => {
    try {
      configOf(changes);
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing was refused";
  };
  it.each([
    [
      "a model that is not there",
      { defaults: { ...shipped.defaults, model: "gone" } },
      '/defaults/model is "gone"',
    ],
    [
      "a model that is not there, for a tenant",
      { overrides: [{ match: { tenant: "a" }, model: "gone" }] },
      "/overrides/0/model",
    ],
    [
      "no URL of an openai-compatible model",
      { models: { m: { ...local, base_url: undefined } } },
      "/models/m/base_url",
    ],
    [
      "the path of a call",
      { models: { m: { ...local, base_url: "http://x/v1/chat/completions" } } },
      "ends with the path",
    ],
    ["credentials in a URL", { models: { m: { ...local, base_url: "http://a:b@x/v1" } } }, "credentials"],
    ["another scheme", { models: { m: { ...local, base_url: "file:///etc/passwd" } } }, "/models/m/base_url"],
    ["a key itself", { models: { m: { ...local, api_key: "sk-live" } } }, "/models/m/api_key"],
    ["an unknown field", { models: { m: { ...local, apikey: "x" } } }, "apikey"],
    ["an unknown provider", { models: { m: { ...local, provider: "openai" } } }, "/models/m/provider"],
    [
      "a stall that is never noticed",
      { models: { m: { ...local, answer_seconds_max: 10 } } },
      "stall_seconds_max",
    ],
    ["a region of no region", { models: { m: { ...local, region: "us-east-1" } } }, "/models/m/region"],
    [
      "the wrong key for Bedrock",
      { models: { m: { provider: "amazon-bedrock", model: "m" } } },
      "/models/m/api_key",
    ],
    ["a placeholder in quotes", { agents: { a: { command: "run '{prompt}'" } } }, "/agents/a/command"],
    ["a placeholder in double quotes", { agents: { a: { command: 'run "x {prompt_file}"' } } }, "in quotes"],
    ["an unknown placeholder", { agents: { a: { command: "run {prompts}" } } }, "{prompts}"],
    [
      "another variable as a key",
      { agents: { a: { command: "x", secrets: { K: "AWS_SECRET_ACCESS_KEY" } } } },
      "/agents/a/secrets/K",
    ],
    [
      "a variable that is the platform's",
      { agents: { a: { command: "x", environment: { HOME: "/" } } } },
      "HOME",
    ],
    [
      "a variable that is set twice",
      { agents: { a: { command: "x", environment: { K: "1" }, secrets: { K: "MODEL_API_KEY" } } } },
      "K in secrets and in environment",
    ],
    [
      "an agent's wildcard that leads out",
      { agents: { a: { command: "x", protected_files: ["../x"] } } },
      "protected_files",
    ],
    ["an override of everything", { overrides: [{ match: {}, turns_max: 1 }] }, "/overrides/0/match"],
  ])("is refused with %s, naming it", (_, changes, naming) => {
    expect(refused(changes)).toContain(naming);
  });
});
