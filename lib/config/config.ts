import { settings } from "#lib/config/environment.ts";
import { watchedFile } from "#lib/config/watched-file.ts";
import { ArtifactsConfig } from "#schemas/config/artifacts.ts";
import { GraphConfig } from "#schemas/config/graph.ts";
import { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import { SandboxLimitsConfig } from "#schemas/config/sandbox-limits.ts";
import { WorkflowsConfig } from "#schemas/config/workflows.ts";

/** What an operator changes at run time. Ask again for every decision; never keep a copy. */
export const config = {
  environment: settings,
  artifacts: watchedFile("artifacts.json", ArtifactsConfig),
  graph: watchedFile("graph.json", GraphConfig),
  retryPolicy: watchedFile("retry_policy.json", RetryPolicyConfig),
  sandboxLimits: watchedFile("sandbox_limits.json", SandboxLimitsConfig),
  workflows: watchedFile("workflows.json", WorkflowsConfig),
};
