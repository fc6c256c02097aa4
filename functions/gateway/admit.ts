import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { RoutePolicy } from "#schemas/config/route-policies.ts";
import type { Workflow } from "#schemas/config/workflows.ts";
import type { Submission } from "#schemas/messages/submission.ts";
import type { GatewayPorts } from "./ports.ts";

/** What the operator's policy lets the tenant ask for; null: anything. */
export type Allowed = Pick<RoutePolicy, "workflows" | "profiles">;

/** Refuses, before anything is stored, what could not be worked on. Returns the workflow it will run. */
export function admit(
  submission: Submission,
  ports: Pick<GatewayPorts, "workflows" | "sandboxLimits" | "settings">,
  allowed: Allowed = { workflows: null, profiles: null },
): Workflow {
  const workflows = ports.workflows();
  const workflow = Object.hasOwn(workflows, submission.workflow) ? workflows[submission.workflow] : undefined;
  if (!workflow) {
    const known = Object.keys(workflows).join(", ");
    throw new HttpError(
      422,
      "WORKFLOW_UNKNOWN",
      `there is no workflow ${submission.workflow}; there are: ${known}`,
    );
  }
  checkAllowed(submission, allowed);
  const missing = workflow.requires.filter((field) => submission[field] === undefined);
  if (missing.length > 0) {
    throw new HttpError(
      422,
      "FIELD_REQUIRED",
      `workflow ${submission.workflow} needs ${missing.join(" and ")}`,
      missing.map((field) => ({ path: `/${field}`, message: `needed by workflow ${submission.workflow}` })),
    );
  }
  const { profiles } = ports.sandboxLimits();
  if (!Object.hasOwn(profiles, submission.profile)) {
    const known = Object.keys(profiles).join(", ");
    throw new HttpError(
      422,
      "PROFILE_UNKNOWN",
      `there is no profile ${submission.profile}; there are: ${known}`,
    );
  }
  if (submission.change?.kind === "prompt" && !ports.settings.model) {
    throw new HttpError(
      422,
      "MODEL_NOT_CONFIGURED",
      "a prompt needs a model, and none is configured: set MODEL_URL (an OpenAI-compatible chat completions endpoint), MODEL_NAME and MODEL_API_KEY in the environment of `npm start` or of the deployment. Or send change.kind `patch` or `codemod`",
    );
  }
  return workflow;
}

function checkAllowed({ workflow, profile }: Submission, { workflows, profiles }: Allowed): void {
  if (workflows && !workflows.includes(workflow)) {
    const names = workflows.join(", ");
    throw new HttpError(
      403,
      "WORKFLOW_NOT_ALLOWED",
      `workflow ${workflow} is not allowed to your tenant; allowed are: ${names}`,
    );
  }
  if (profiles && !profiles.includes(profile)) {
    const names = profiles.join(", ");
    throw new HttpError(
      403,
      "PROFILE_NOT_ALLOWED",
      `profile ${profile} is not allowed to your tenant; allowed are: ${names}`,
    );
  }
}
