import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { agentMessages } from "#lib/platform/config/agent-messages.ts";
import { type ConfigDefinition, definitions } from "#lib/platform/config/config-definitions.ts";
import { ConfigRejected, parseConfig } from "#lib/platform/config/parse-config.ts";
import { policy } from "#test/fakes/config-world.ts";

const deployment = { services: ["orchestrator", "codegen", "coder", "buildtest", "sandbox", "indexing"] };
const shipped = (name: string) => readFileSync(`configs/${name}`, "utf8");

function refusal(definition: ConfigDefinition, content: string | Uint8Array): string {
  try {
    parseConfig(definition, typeof content === "string" ? Buffer.from(content) : content, deployment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigRejected);
    return (error as Error).message;
  }
  return "accepted";
}

/** The shipped workflows with one change. */
function workflows(change: (workflows: Record<string, never>) => void): string {
  const value = JSON.parse(shipped("workflows.json"));
  change(value.workflows);
  return JSON.stringify(value);
}

/** The shipped sandbox limits with fields of the profile `small` replaced. */
function small(fields: object): string {
  const value = JSON.parse(shipped("sandbox_limits.json"));
  Object.assign(value.profiles.small, fields);
  return JSON.stringify(value);
}

describe("a configuration file", () => {
  it.each(Object.values(definitions))("$name as shipped is accepted", (definition) => {
    expect(refusal(definition as ConfigDefinition, shipped(definition.name))).toBe("accepted");
  });

  it("may begin with a byte order mark", () => {
    expect(refusal(definitions.retryPolicy, `\uFEFF${policy()}`)).toBe("accepted");
  });

  it.each<[string, string | Uint8Array, string]>([
    ["nothing", "", "it is not JSON: Unexpected end"],
    ["half a file", policy().slice(0, 60), "it is not JSON"],
    ["bytes that are no text", Buffer.from([0x7b, 0xff, 0xfe]), "it is not UTF-8"],
    ["far too much", " ".repeat(300_000), "it has 300000 bytes; 262144 is the limit"],
    ["a key twice", policy().replace("{", '{"overrides": [],'), 'the key "overrides" occurs twice'],
    ["an unknown key", policy({ attemps: 3 }), 'has an unknown field: "attemps"'],
    [
      "a wrong type",
      policy({ attempts_max: "5" }),
      '/defaults/attempts_max is "5": must be a number; a text of 1 character came',
    ],
    ["a missing option", policy({ attempts_max: undefined }), "/defaults/attempts_max is absent: "],
    [
      "a base above the cap",
      policy({ backoff_ms_base: 70_000 }),
      "/defaults/backoff_ms_base is 70000: backoff_ms_base must",
    ],
    [
      "nesting without end",
      `{"redispatch_seconds":${"[".repeat(99_999)}${"]".repeat(99_999)}}`,
      "/redispatch_seconds is ",
    ],
  ])("with %s is refused with the place and the value", (_, content, said) => {
    expect(refusal(definitions.retryPolicy, content)).toContain(said);
  });
});

describe("sandbox limits", () => {
  const limits = definitions.sandboxLimits;
  it.each([
    [
      "memory given in megabytes",
      small({ memory_bytes_max: 512 }),
      "/profiles/small/memory_bytes_max is 512",
    ],
    [
      "more time than an invocation has",
      small({ wall_seconds: 3600 }),
      "/profiles/small/wall_seconds is 3600",
    ],
    ["no name for a variable", small({ environment: { "A B": "" } }), "/profiles/small/environment/A B"],
    [
      "no standard profile",
      shipped("sandbox_limits.json").replace('"standard"', '"big"'),
      "profile `standard`",
    ],
  ])("with %s are refused", (_, content, said) => {
    expect(refusal(limits, content)).toContain(said);
  });
});

describe("workflows", () => {
  it("know the messages of every agent they name", () => {
    const { workflows } = JSON.parse(shipped("workflows.json"));
    for (const { steps } of Object.values<{ steps: { agent: string }[] }>(workflows)) {
      for (const { agent } of steps) expect(agentMessages).toHaveProperty(agent);
    }
  });

  type Steps = { steps: { agent: string; input: object; repair: object }[] };
  const step = (flows: Record<string, never>, position: number) =>
    (flows.change as unknown as Steps).steps[position] as Steps["steps"][number];
  it.each<[string, (flows: Record<string, never>) => void, string]>([
    [
      "an agent without a queue",
      (flows) => Object.assign(step(flows, 2), { agent: "codgen" }),
      '/workflows/change/steps/2: agent "codgen" has no queue; these have: codegen',
    ],
    [
      "an agent that runs no workflow steps",
      (flows) => Object.assign(step(flows, 2), { agent: "webhooks" }),
      '/workflows/change/steps/2: agent "webhooks" runs no workflow steps',
    ],
    [
      "a repair that leads forward",
      (flows) => Object.assign(step(flows, 3).repair, { back_to: "index_result" }),
      '/workflows/change/steps/3: repair.back_to names "index_result", which is no step up to this one',
    ],
    [
      "a place that does not exist",
      (flows) => Object.assign(step(flows, 3).input, { diff: "codegen.dif" }),
      '/workflows/change/steps/3: input diff: "codegen.dif" is no field of CodegenOutput',
    ],
    [
      "a field the agent does not know",
      (flows) => Object.assign(step(flows, 3).input, { colour: "source" }),
      "/workflows/change/steps/3: input colour is no field of BuildtestInput",
    ],
    [
      "more rounds than there can be",
      (flows) => Object.assign(step(flows, 3).repair, { rounds_max: 99 }),
      "/workflows/change/steps/3/repair/rounds_max is 99",
    ],
  ])("with %s are refused", (_, change, said) => {
    expect(refusal(definitions.workflows as ConfigDefinition, workflows(change))).toContain(said);
  });
});
