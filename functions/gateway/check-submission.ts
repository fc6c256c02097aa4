import { readGitSource } from "#lib/code/source/git-source.ts";
import { agentProfileName, chooseAgent, keysMissing } from "#lib/platform/config/agent-choice.ts";
import { chooseModel } from "#lib/platform/config/model-choice.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { hasEdge } from "#lib/platform/settings/environment.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";
import type { RoutePolicy } from "#schemas/config/route-policies.ts";
import type { Workflow } from "#schemas/config/workflows.ts";
import type { Submission } from "#schemas/messages/submission.ts";
import type { GatewayPorts } from "./ports.ts";

/** Workflows and profiles that the operator's policy allows; null: all. */
export type Allowed = Pick<RoutePolicy, "workflows" | "profiles">;

interface Checked {
  submission: Submission;
  tenant: string;
  /** Absent: no restriction. */
  allowed: Allowed | undefined;
}

type CheckPorts = Pick<GatewayPorts, "workflows" | "sandboxLimits" | "outbound" | "settings" | "codegen">;

/**
 * Refuses a submission that could not run, before anything is stored. Returns its workflow.
 *
 * @throws HttpError 403 `WORKFLOW_NOT_ALLOWED`, `PROFILE_NOT_ALLOWED`; 422 for what does not exist, is not configured,
 * is missing, or is read by no step
 * @throws RejectedInput `GIT_URL_INVALID`, `GIT_REF_INVALID`
 */
export function checkSubmission(
  { submission, tenant, allowed = { workflows: null, profiles: null } }: Checked,
  ports: CheckPorts,
): Workflow {
  const workflows = ports.workflows();
  const workflow = Object.hasOwn(workflows, submission.workflow) ? workflows[submission.workflow] : undefined;
  if (!workflow) {
    const known = Object.keys(workflows).join(", ");
    throw new HttpError(
      "WORKFLOW_UNKNOWN",
      `there is no workflow ${submission.workflow}; there are: ${known}`,
    );
  }
  checkAllowed(submission, allowed);
  checkFields(submission, workflow);
  checkSource(submission, ports.outbound());
  const { profiles } = ports.sandboxLimits();
  if (!Object.hasOwn(profiles, submission.profile)) {
    const known = Object.keys(profiles).join(", ");
    throw new HttpError("PROFILE_UNKNOWN", `there is no profile ${submission.profile}; there are: ${known}`);
  }
  if (submission.change?.kind === "prompt") {
    const { agent } = submission.change;
    if (agent === undefined) checkModel(tenant, ports);
    else checkAgent(agent, { submission, tenant, workflow, allowed }, ports);
  }
  return workflow;
}

/** Refuses words that no model would answer. The keys are seen only where gateway and agents share an environment. */
function checkModel(tenant: string, { settings, codegen }: Pick<GatewayPorts, "settings" | "codegen">): void {
  const { stage } = settings;
  const keys = hasEdge(stage) ? "unseen" : "seen";
  const chosen = chooseModel(codegen(), { tenant, stage }, settings.model, keys);
  if ("problem" in chosen) throw new HttpError("MODEL_NOT_CONFIGURED", chosen.problem);
}

interface AgentQuestion {
  submission: Submission;
  tenant: string;
  workflow: Workflow;
  allowed: Allowed;
}

/** Refuses a coding agent that does not exist, lacks a key, or that no step of the workflow would run. */
function checkAgent(
  name: string,
  { submission, tenant, workflow, allowed }: AgentQuestion,
  { settings, codegen, sandboxLimits }: Pick<GatewayPorts, "settings" | "codegen" | "sandboxLimits">,
): void {
  const path = "/change/agent";
  const chosen = chooseAgent(codegen(), { name, tenant });
  if ("problem" in chosen) {
    throw new HttpError("AGENT_UNKNOWN", chosen.problem, [{ path, message: chosen.problem }]);
  }
  if (!workflow.steps.some(({ agent }) => agent === CODER)) {
    const message = `no step of workflow ${submission.workflow} runs a coding agent`;
    throw new HttpError("FIELD_UNUSED", message, [{ path, message }]);
  }
  const profile = agentProfileName(chosen.choice, submission.profile);
  checkAllowed({ ...submission, profile }, allowed);
  if (!Object.hasOwn(sandboxLimits().profiles, profile)) {
    const message = `the agent ${name} runs under the profile ${profile}, which configs/sandbox_limits.json does not have`;
    throw new HttpError("AGENT_NOT_CONFIGURED", message);
  }
  if (hasEdge(settings.stage)) return;
  const missing = Object.values(chosen.choice.secrets).filter((key) => !settings.model?.api_keys[key]);
  if (missing.length > 0) throw new HttpError("AGENT_NOT_CONFIGURED", keysMissing(name, missing));
}

/** The service that runs coding agents: functions/coder. */
const CODER = "coder";

function checkAllowed({ workflow, profile }: Submission, { workflows, profiles }: Allowed): void {
  if (workflows && !workflows.includes(workflow)) {
    const names = workflows.join(", ");
    throw new HttpError(
      "WORKFLOW_NOT_ALLOWED",
      `workflow ${workflow} is not allowed to your tenant; allowed are: ${names}`,
    );
  }
  if (profiles && !profiles.includes(profile)) {
    const names = profiles.join(", ");
    throw new HttpError(
      "PROFILE_NOT_ALLOWED",
      `profile ${profile} is not allowed to your tenant; allowed are: ${names}`,
    );
  }
}

/** Fields of a submission that only some workflows take. */
const OPTIONAL_FIELDS = [
  "change",
  "install",
  "build",
  "test",
  "reports",
  "require_tests",
  "command",
] as const satisfies (keyof Submission)[];

/**
 * Refuses a submission without a field that its workflow needs, or with one that no step of it reads: what a
 * submitter asked for is done or refused, never dropped.
 *
 * @throws HttpError 422 `FIELD_REQUIRED`, `FIELD_UNUSED`
 */
export function checkFields(submission: Submission, { requires, steps }: Workflow): void {
  const { workflow } = submission;
  const missing = requires.filter((field) => submission[field] === undefined);
  if (missing.length > 0) {
    throw new HttpError(
      "FIELD_REQUIRED",
      `workflow ${workflow} needs ${missing.join(" and ")}`,
      missing.map((field) => ({ path: `/${field}`, message: `needed by workflow ${workflow}` })),
    );
  }
  const read = new Set(
    steps.flatMap(({ input }) => Object.values(input).flatMap((places) => places.split("|").map(trimmed))),
  );
  const unused = OPTIONAL_FIELDS.filter((field) => submission[field] !== undefined && !read.has(field));
  if (unused.length > 0) {
    throw new HttpError(
      "FIELD_UNUSED",
      `workflow ${workflow} takes no ${unused.join(" and no ")}: leave it out, or submit to a workflow that takes it`,
      unused.map((field) => ({ path: `/${field}`, message: `no step of workflow ${workflow} reads it` })),
    );
  }
}

const trimmed = (place: string) => place.trim();

/**
 * Refuses a git source that no fetch would take, so that it is not stored, nor a password in its URL.
 *
 * @throws RejectedInput `GIT_URL_INVALID`, `GIT_REF_INVALID`
 */
export function checkSource({ source }: Submission, rules: Pick<OutboundRules, "schemes">): void {
  if (source.kind === "git") readGitSource(source, rules);
}
