import { agentFaults } from "#lib/platform/config/agent-choice.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import type { ModelSettings } from "#lib/platform/settings/environment.ts";
import { type CodegenConfig, type CodegenPolicy, ModelEntry } from "#schemas/config/codegen.ts";

/** The model that answers one task, with its key, and what it may cost. */
export interface ModelChoice extends ModelEntry {
  /** Its name in configs/codegen.json; `MODEL_NAME` for the one of the environment. */
  name: string;
  /** Empty when none is sent. */
  secret: string;
  /** The whole URL that is asked, when it does not follow from `base_url`. */
  endpoint?: string;
  /** The circuit before its endpoint. */
  circuit: string;
  policy: CodegenPolicy;
}

interface Question {
  tenant: string;
  stage: string;
}

const FILE = "configs/codegen.json";
const OTHERWISE = "Or submit a `patch` (a unified diff) or a `codemod` (ast-grep rules).";

/**
 * The model for a tenant on a stage. `problem` names the setting that is missing or wrong; it ends with what to submit
 * instead. A function that is given no keys leaves them unchecked (`keys: "unseen"`).
 */
export function chooseModel(
  config: CodegenConfig,
  question: Question,
  settings: ModelSettings | undefined,
  keys: "seen" | "unseen" = "seen",
): { choice: ModelChoice } | { problem: string } {
  const policy = codegenPolicyFor(config, question);
  if (policy.model === null) return environmentModel(policy, settings);
  const model = Object.hasOwn(config.models, policy.model) ? config.models[policy.model] : undefined;
  if (!model) return { problem: `${FILE} has no model "${policy.model}" in \`models\`. ${OTHERWISE}` };
  const secret = model.api_key === null ? "" : (settings?.api_keys[model.api_key] ?? "");
  const choice = { ...model, name: policy.model, secret, policy, circuit: circuitOf(model) };
  const problem = keys === "unseen" || secret !== "" ? undefined : keyProblem(choice);
  return problem === undefined ? { choice } : { problem };
}

/** What a model without its key is refused with; undefined for one that needs none. */
export function keyProblem(model: ModelEntry & { name: string }): string | undefined {
  if (!needsKey(model)) return undefined;
  return `the model "${model.name}" of ${FILE} takes its key from ${model.api_key}, which is not set where the functions run (docs/guides/models.md). ${OTHERWISE}`;
}

/** A server of one's own often takes none. */
function needsKey({ provider, api_key }: ModelEntry): boolean {
  if (api_key === null) return false;
  return provider !== "openai-compatible" || api_key !== "MODEL_API_KEY";
}

function environmentModel(
  policy: CodegenPolicy,
  settings: ModelSettings | undefined,
): { choice: ModelChoice } | { problem: string } {
  const { url = "", name = "", api_keys } = settings ?? {};
  const missing = [url === "" && "MODEL_URL", name === "" && "MODEL_NAME"].filter(Boolean);
  if (missing.length > 0) {
    return {
      problem: `a change in words needs a model, and none is configured: ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not set where the functions run, and \`model\` of ${FILE} is null. Set MODEL_URL (an OpenAI-compatible chat completions endpoint), MODEL_NAME and MODEL_API_KEY, or name a model in ${FILE}. ${OTHERWISE}`,
    };
  }
  const model = ModelEntry.parse({
    provider: "openai-compatible",
    model: name,
    base_url: url,
    stream: false,
  });
  const secret = api_keys?.MODEL_API_KEY ?? "";
  return {
    choice: { ...model, name: "MODEL_NAME", secret, endpoint: url, policy, circuit: circuitOf(model) },
  };
}

const HOSTS: Record<ModelEntry["provider"], string> = {
  "openai-compatible": "none", // it always has a base_url
  anthropic: "api.anthropic.com",
  "amazon-bedrock": "bedrock",
};
const CIRCUIT_CHARACTERS_MAX = 63;

/**
 * The circuit of an endpoint, by its provider and host, unless the entry names one: an endpoint that is down must not
 * keep a tenant from another. Different hosts never share a name.
 */
function circuitOf({ circuit, provider, base_url, region }: ModelEntry): string {
  if (circuit !== undefined) return circuit;
  const host = base_url === undefined ? `${HOSTS[provider]}:${region ?? ""}` : new URL(base_url).host;
  const name = `${provider}_${host}`
    .toLowerCase()
    .replace(/:$/, "")
    .replaceAll(/[^a-z0-9_-]/g, "-");
  const is_plain = /^[a-z0-9.]+(?::\d+)?$/.test(host) && name.length <= CIRCUIT_CHARACTERS_MAX;
  if (is_plain) return name;
  return `${name.slice(0, CIRCUIT_CHARACTERS_MAX - 9)}-${sha256(Buffer.from(host)).slice(0, 8)}`;
}

/** The policy in force: the defaults, then every override whose labels all agree, those with more labels last. */
export function codegenPolicyFor(config: CodegenConfig, { tenant, stage }: Question): CodegenPolicy {
  const labels = { tenant, stage };
  const names = ["tenant", "stage"] as const;
  const count = (match: Partial<Question>) => names.filter((name) => match[name] !== undefined).length;
  const policy = { ...config.defaults };
  const matching = config.overrides
    .filter(({ match }) => names.every((name) => match[name] === undefined || match[name] === labels[name]))
    .sort((a, b) => count(a.match) - count(b.match));
  for (const { match: _, ...override } of matching) {
    Object.assign(
      policy,
      Object.fromEntries(Object.entries(override).filter(([, value]) => value !== undefined)),
    );
  }
  return policy;
}

/** Checks of configs/codegen.json beyond its schema. Returns one sentence for each fault. */
export function codegenFaults({ models, agents, defaults, overrides }: CodegenConfig): string[] {
  const layers = [
    { path: "/defaults", layer: defaults as Partial<CodegenPolicy> },
    ...overrides.map((layer, index) => ({ path: `/overrides/${index}`, layer })),
  ];
  const unknown = layers.flatMap(({ path, layer: { model } }) =>
    typeof model !== "string" || Object.hasOwn(models, model)
      ? []
      : [`${path}/model is "${model}": \`models\` has ${Object.keys(models).join(", ") || "none"}`],
  );
  return [
    ...unknown,
    ...Object.entries(models).flatMap(([name, model]) => modelFaults(`/models/${name}`, model)),
    ...Object.entries(agents).flatMap(([name, agent]) => agentFaults(`/agents/${name}`, agent)),
  ];
}

function modelFaults(path: string, model: ModelEntry): string[] {
  const { provider, base_url, region, stall_seconds_max, answer_seconds_max } = model;
  const faults: string[] = [];
  if (provider === "openai-compatible" && base_url === undefined) {
    faults.push(`${path}/base_url is absent: an openai-compatible model has no other endpoint`);
  }
  if (region !== undefined && provider !== "amazon-bedrock") {
    faults.push(`${path}/region is set: only amazon-bedrock has regions`);
  }
  if (base_url !== undefined && /[?#]|\/\/[^/]*@/.test(base_url)) {
    faults.push(
      `${path}/base_url has a query, a fragment or credentials: it is followed by the path of the call`,
    );
  }
  if (base_url !== undefined && /\/(?:chat\/completions|messages|converse)\/?$/.test(base_url)) {
    faults.push(`${path}/base_url ends with the path of the call: end it with the version, for example /v1`);
  }
  if (stall_seconds_max > answer_seconds_max) {
    faults.push(`${path}/stall_seconds_max is above answer_seconds_max, so that no stall is ever noticed`);
  }
  if (provider === "amazon-bedrock" && model.api_key === "MODEL_API_KEY") {
    faults.push(`${path}/api_key is MODEL_API_KEY: take MODEL_API_KEY_BEDROCK, or null for AWS credentials`);
  }
  return faults;
}
