import { usageLineFaults } from "#lib/platform/config/usage-line.ts";
import type { AgentEntry, CodegenConfig } from "#schemas/config/codegen.ts";
import type { SandboxLimitsConfig } from "#schemas/config/sandbox-limits.ts";

const FILE = "configs/codegen.json";

/** A coding agent of configs/codegen.json under its name, for one tenant. */
export type AgentChoice = AgentEntry & { name: string };

/** The agents that a tenant may name. An agent kept for others is not told of. */
function agentsOf({ agents }: Pick<CodegenConfig, "agents">, tenant: string): [string, AgentEntry][] {
  return Object.entries(agents).filter(([, { tenants }]) => tenants === null || tenants.includes(tenant));
}

/** The agent of that name for a tenant. `problem` names those that there are. */
export function chooseAgent(
  config: Pick<CodegenConfig, "agents">,
  { name, tenant }: { name: string; tenant: string },
): { choice: AgentChoice } | { problem: string } {
  const known = agentsOf(config, tenant);
  const found = known.find(([one]) => one === name);
  if (found) return { choice: { ...found[1], name } };
  const names = known.map(([one]) => one).join(", ");
  return {
    problem: `there is no agent ${JSON.stringify(name)}; \`agents\` of ${FILE} has ${names === "" ? "none for your tenant" : names}`,
  };
}

/** What an agent that lacks keys is refused with. */
export function keysMissing(agent: string, names: readonly string[]): string {
  const are = names.length === 1 ? "which is not set" : "which are not set";
  return `the agent "${agent}" of ${FILE} takes ${names.join(" and ")}, ${are} where the functions run (docs/guides/coding-agents.md)`;
}

/** The name of the profile that the agent runs under, for a task with that profile. */
export function agentProfileName({ profile }: Pick<AgentEntry, "profile">, of_task: string): string {
  return profile ?? of_task;
}

type Profile = SandboxLimitsConfig["profiles"][string];

/**
 * The limits of an agent's run: those of the profile, except where the entry says otherwise. It may connect to its own
 * hosts and to nothing that the profile lists, so that a build's registry is not open to it by accident.
 */
export function agentProfile(profile: Profile, agent: AgentChoice): Profile {
  const { hosts, private_hosts, network_bytes_max: bytes_max, environment, read_only } = agent;
  const reaches = hosts.length > 0 || Object.keys(private_hosts).length > 0;
  const { filesystem } = profile;
  return {
    ...profile,
    ...(agent.wall_seconds !== undefined && { wall_seconds: agent.wall_seconds }),
    ...(agent.output_bytes_max !== undefined && { output_bytes_max: agent.output_bytes_max }),
    network: reaches
      ? {
          mode: "allow",
          hosts,
          private_hosts,
          npm_registry: false,
          bytes_max,
          connections_max: CONNECTIONS_MAX,
        }
      : { mode: "none" },
    filesystem: { ...filesystem, read_only: [...filesystem.read_only, ...read_only] },
    environment: { ...profile.environment, ...environment },
  };
}

const CONNECTIONS_MAX = 64;

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  "{prompt}": '"$AGENT_PROMPT"',
  "{prompt_file}": '"$AGENT_PROMPT_FILE"',
};
const PLACEHOLDER = /\{prompt[a-z_]*\}/g;

/**
 * The shell command with its placeholders in place. They become quoted variables, so no word of a prompt is ever read
 * by the shell.
 */
export function commandOf({ command }: Pick<AgentEntry, "command">): string {
  return command.replace(PLACEHOLDER, (placeholder) => PLACEHOLDERS[placeholder] ?? placeholder);
}

/** Checks of an agent's entry beyond its schema. Returns one sentence for each fault. */
export function agentFaults(path: string, { command, secrets, environment, usage }: AgentEntry): string[] {
  const faults: string[] = [];
  for (const [place, line] of (usage?.lines ?? []).entries()) {
    faults.push(...usageLineFaults(line).map((fault) => `${path}/usage/lines/${place} ${fault}`));
  }
  for (const [placeholder] of command.matchAll(PLACEHOLDER)) {
    if (Object.hasOwn(PLACEHOLDERS, placeholder)) continue;
    faults.push(
      `${path}/command has ${placeholder}: there are ${Object.keys(PLACEHOLDERS).join(" and ")} only`,
    );
  }
  if (hasQuotedPlaceholder(command)) {
    faults.push(`${path}/command has a placeholder in quotes: leave them out, it is quoted already`);
  }
  for (const name of [...Object.keys(secrets), ...Object.keys(environment)]) {
    if (RESERVED.test(name)) faults.push(`${path} sets ${name}, which the platform sets itself`);
  }
  for (const name of Object.keys(secrets)) {
    if (Object.hasOwn(environment, name)) faults.push(`${path} has ${name} in secrets and in environment`);
  }
  return faults;
}

const RESERVED = /^(?:AGENT_PROMPT|AGENT_PROMPT_FILE|AGENT_ROUND|HOME|TMPDIR|https?_proxy|no_proxy)$/i;

/** Whether a placeholder stands between quotes, as a shell reads them; in single quotes it would stay as it is. */
function hasQuotedPlaceholder(command: string): boolean {
  let quote = "";
  for (let at = 0; at < command.length; at += 1) {
    const character = command[at] ?? "";
    if (character === "\\" && quote !== "'") at += 1;
    else if (quote === character) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (quote !== "" && /^\{prompt(?:_file)?\}/.test(command.slice(at, at + 14))) return true;
  }
  return false;
}
