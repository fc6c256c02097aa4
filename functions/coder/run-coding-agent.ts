import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { type Evidence, readEvidence, readRefusal, writeMemory } from "#lib/code/repair/evidence.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { globMatcher } from "#lib/code/tree/glob-matcher.ts";
import {
  type AgentChoice,
  agentProfile,
  agentProfileName,
  chooseAgent,
  commandOf,
  keysMissing,
} from "#lib/platform/config/agent-choice.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import type { ReadKey } from "#lib/platform/secrets/model-key.ts";
import {
  checkBudgetLeft,
  type DayBudgetPorts,
  LEAST,
  NOTHING_SPENT,
  reserve,
} from "#lib/resilience/spending/model-spending.ts";
import { limitReason, type PhaseRun, runPhase } from "#lib/sandbox/run-phase.ts";
import type { SandboxPorts } from "#lib/sandbox/sandbox-ports.ts";
import { sandboxProfile } from "#lib/sandbox/sandbox-profile.ts";
import { scratchDirectories } from "#lib/sandbox/volume/volume.ts";
import { type Workspace, withWorkspace } from "#lib/sandbox/with-workspace.ts";
import type { CodegenConfig, CodegenPolicy } from "#schemas/config/codegen.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";
import type { AgentRun, AgentUse, CoderInput, CoderOutput } from "#schemas/messages/coder.ts";
import type { BlobRef, Verdict } from "#schemas/primitives.ts";
import { agentPrompt, promptVariable } from "./agent-prompt.ts";
import { readStatedUse, spendingOfUse, spentWith } from "./stated-use.ts";

/** The ports of running a coding agent. */
export interface CoderPorts extends SandboxPorts {
  /** Work on what the agent left, in a child process with limits. */
  code: Pick<ConfinedCode, "applyDiff" | "createDiff" | "leaveOutFiles">;
  codegen(): Pick<CodegenConfig, "agents">;
  /** Of the task's tenant: its budgets, and which flagged files may be changed, for the agent to know. */
  policy: CodegenPolicy;
  budget: DayBudgetPorts;
  readKey: ReadKey;
}

const RUN = { name: "run", log: "codegen/agent.log" } as const;
const PROMPT_FILE = "agent-prompt.md";

/**
 * Runs the agent that the task names in the sandbox, on the source or on what the round before left of it, and takes
 * the difference of the trees as the change. What the agent printed is an artifact, however it ended. The step's
 * outcome holds the diff, so a message that comes twice does not run the agent again; a worker that is killed in the
 * middle of a run pays for that run without a result.
 *
 * `failed`: `AGENT_FAILED`, `AGENT_CHANGED_NOTHING`, `AGENT_CHANGED_PROTECTED`, `AGENT_WROTE_SECRET`, or a limit of the
 * sandbox. `error`: no sandbox can run it. A failure has what was spent, too, and a refused change its diff.
 *
 * @throws RejectedInput `AGENT_UNKNOWN`, `AGENT_NOT_CONFIGURED`, `PROFILE_UNKNOWN`, `GIT_*`, `SOURCE_*`, `ARCHIVE_*`,
 *   and the codes of `ConfinedCode`; `MODEL_BUDGET_SPENT`; RetryableFault `MODEL_KEY_UNAVAILABLE`;
 *   QuotaFault `MODEL_DAY_BUDGET_SPENT`
 */
export async function runCodingAgent(
  input: CoderInput,
  context: AgentContext,
  ports: CoderPorts,
): Promise<AgentResult<CoderOutput>> {
  const agent = agentOf(input, context, ports);
  checkBudgetLeft(input.spent ?? NOTHING_SPENT, ports);
  const keys = await keysOf(agent, ports);
  const profile_name = agentProfileName(agent, input.profile);
  const limits = ports.sandboxLimits();
  const profile = agentProfile(sandboxProfile(profile_name, limits.value), agent);
  const evidence = await readEvidence(input, context.blobs);
  const prompt = await promptOf(agent, input, evidence, context, ports);
  const source = await ports.resolveSource(input.source);
  const ended = await withWorkspace({ profile, backend: ports.backend }, async (workspace) => {
    await ports.unpackSource(source.blob, workspace.tree);
    if (evidence) await ports.code.applyDiff(workspace.tree, evidence.previous_diff);
    const environment = { ...profile.environment, ...keys, ...variablesOf(prompt, input) };
    const order = { ...workspace, profile: { ...profile, environment } };
    const { run, use } = await runAndCount(agent, prompt, order, context, ports);
    const diff = isGood(run) ? await diffOf(source.blob, agent, workspace, context, ports) : undefined;
    return { run, use, diff };
  });
  const { run, use, diff } = ended;
  const secrets = Object.values(keys);
  await context.artifacts.text(
    RUN.log,
    redactSecrets(run.log.toString("utf8"), secrets),
    "text/plain; charset=utf-8",
  );
  const failure = diff ? refusal(diff, agent, secrets, evidence) : failureOf(run, agent);
  context.log.info("AGENT_ENDED", `The coding agent ${agent.name} ended.`, {
    agent: agent.name,
    error_code: failure?.code ?? null,
    policy_hash: limits.hash,
    limit: run.phase.limit,
    usage: run.phase.usage,
    network_denied: run.phase.network?.denied ?? [],
  });
  const is_shown = diff && diff.bytes.length > 0 && failure?.code !== "AGENT_WROTE_SECRET";
  const spent = spentWith(input.spent, use);
  const output: CoderOutput = {
    source,
    ...(is_shown && { diff: await context.blobs.write(diff.bytes, "text/x-diff") }),
    run: runOf(agent, run, profile_name, use),
    memory: await writeMemory({ tried: evidence?.tried ?? [], intent: "" }, context.blobs),
    ...(spent && { spent }),
  };
  return failure ? { ...failure, output } : { verdict: "passed", output };
}

/** What the agent is told, with how the rounds before ended. */
async function promptOf(
  { protected_files }: AgentChoice,
  input: CoderInput,
  evidence: Evidence | undefined,
  { blobs }: AgentContext,
  ports: CoderPorts,
): Promise<string> {
  const { refusal: refused, refused_diff } = input;
  return agentPrompt({
    words: await blobs.readText(input.change.text),
    evidence: evidence?.text,
    refusal: refused && (await readRefusal(refused, refused_diff, blobs)),
    test: input.test,
    protected_files,
    flagged_files_allowed: ports.policy.flagged_files_allowed,
  });
}

/**
 * Runs the agent, and counts what it states of its use, however it ended. What it will use is not known before, so the
 * least is set aside of the tenant's day: a day that is spent refuses the run.
 */
async function runAndCount(
  agent: AgentChoice,
  prompt: string,
  order: Workspace & { profile: SandboxProfile },
  context: AgentContext,
  ports: CoderPorts,
): Promise<{ run: PhaseRun; use: AgentUse | null }> {
  const reserved = await reserve(context.envelope.tenant, LEAST, ports, ports.budget);
  let spent = NOTHING_SPENT;
  try {
    const run = await runAgent(agent, prompt, order, context);
    const { home } = scratchDirectories(order.scratch);
    const use = await readStatedUse(agent.usage, { log: run.log, home });
    spent = spendingOfUse(use);
    context.count("model_tokens", spent.tokens);
    context.count("model_usd_micros", spent.usd_micros);
    return { run, use };
  } finally {
    await reserved.settle(spent);
  }
}

function agentOf({ change }: CoderInput, { envelope }: AgentContext, { codegen }: CoderPorts): AgentChoice {
  const chosen = chooseAgent(codegen(), { name: change.agent, tenant: envelope.tenant });
  if ("problem" in chosen) throw new RejectedInput("AGENT_UNKNOWN", chosen.problem);
  return chosen.choice;
}

/** Its variables with keys. */
async function keysOf(
  { name, secrets }: AgentChoice,
  { readKey }: CoderPorts,
): Promise<Record<string, string>> {
  const keys: Record<string, string> = {};
  const missing: string[] = [];
  for (const [variable, key_name] of Object.entries(secrets)) {
    const key = await readKey(key_name);
    if (key === "") missing.push(key_name);
    else keys[variable] = key;
  }
  if (missing.length > 0) throw new RejectedInput("AGENT_NOT_CONFIGURED", keysMissing(name, missing));
  return keys;
}

function variablesOf(prompt: string, { round }: CoderInput): Record<string, string> {
  return { AGENT_PROMPT: promptVariable(prompt), AGENT_ROUND: String(round) };
}

async function runAgent(
  agent: AgentChoice,
  prompt: string,
  order: Workspace & { profile: SandboxProfile },
  context: AgentContext,
): Promise<PhaseRun> {
  await writeFile(join(scratchDirectories(order.scratch).home, PROMPT_FILE), prompt);
  const command = `export AGENT_PROMPT_FILE="$HOME/${PROMPT_FILE}"; ${commandOf(agent)}`;
  return runPhase(RUN, { ...order, command, signal: context.signal }, context);
}

const isGood = ({ phase }: PhaseRun) => phase.status === "passed";

type Diff = Awaited<ReturnType<ConfinedCode["createDiff"]>>;

/** What the agent made of the source, without the new files that are no part of a change. */
async function diffOf(
  archive: BlobRef,
  { left_out_files }: AgentChoice,
  { tree }: Workspace,
  context: AgentContext,
  { code, unpackSource }: CoderPorts,
): Promise<Diff> {
  return withTemporaryDirectory("coder", async (directory) => {
    const before = join(directory, "before");
    await unpackSource(archive, before);
    return context.span("create diff", {}, async () => {
      await code.leaveOutFiles(before, tree, left_out_files);
      return code.createDiff(before, tree);
    });
  });
}

type Failure = AgentResult<CoderOutput> & { code: string };

function failed(code: ErrorCode, message: string, verdict: Verdict = "failed"): Failure {
  return { verdict, code, message };
}

/** Why a run gave no change. */
function failureOf({ phase, unavailable, log }: PhaseRun, { name }: AgentChoice): Failure {
  if (unavailable) return failed(unavailable.code, unavailable.message, "error");
  const subject = `the agent ${name}`;
  if (phase.limit) return failed(phase.limit.code, limitReason(subject, phase.limit));
  const ending = phase.exit_code === null ? `signal ${phase.signal}` : `exit code ${phase.exit_code}`;
  const said = log.length === 0 ? "It printed nothing." : `What it printed is in ${RUN.log}.`;
  return failed("AGENT_FAILED", `${subject} ended with ${ending}, and its change was not taken. ${said}`);
}

/** Why a change is not taken, undefined when it is. */
function refusal(
  { bytes, changes }: Diff,
  { name, protected_files }: AgentChoice,
  secrets: readonly string[],
  evidence: Evidence | undefined,
): Failure | undefined {
  const subject = `the agent ${name}`;
  if (bytes.length === 0 || evidence?.previous_diff.equals(bytes)) {
    const since = evidence ? "changed nothing since the round before" : "changed nothing";
    return failed("AGENT_CHANGED_NOTHING", `${subject} ${since}. What it printed is in ${RUN.log}.`);
  }
  const matchers = protected_files.map(globMatcher);
  const touched = changes
    .flatMap(({ path, from }) => [path, ...(from === undefined ? [] : [from])])
    .filter((path) => matchers.some((matches) => matches(path)));
  if (touched[0] !== undefined) {
    const more = touched.length > 1 ? ` and ${touched.length - 1} more` : "";
    return failed(
      "AGENT_CHANGED_PROTECTED",
      `${subject} changed ${JSON.stringify(touched[0])}${more}, which protected_files of its entry in configs/codegen.json keeps as it is. None of its change is taken.`,
    );
  }
  if (secrets.some((secret) => bytes.includes(secret))) {
    return failed(
      "AGENT_WROTE_SECRET",
      `${subject} wrote one of its keys into a file. None of its change is taken.`,
    );
  }
  return undefined;
}

function runOf(
  { name }: AgentChoice,
  { phase, result }: PhaseRun,
  profile: string,
  use: AgentUse | null,
): AgentRun {
  const duration_ms = phase.usage.wall_ms;
  return { name, duration_ms, profile, isolation: result?.isolation ?? "reduced", log: RUN.log, use };
}
