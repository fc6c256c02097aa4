import type { SQSHandler } from "aws-lambda";
import type { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { claimStep, runClaimedStep } from "#lib/agents/agent/claim-step.ts";
import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import { publishOutcome } from "#lib/agents/agent/publish-outcome.ts";
import { serveQueue } from "#lib/agents/agent/serve-queue.ts";

/**
 * Makes an agent's Lambda handler. All an agent gives is its name, its input and output schema and
 * `run`; it gets parsing, trace, the idempotency claim with its lease, artifacts that show only
 * when the step completes, retries by disposition, the DLQ, metrics and the partial batch response.
 */
export function defineAgent<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
  platformOf: () => AgentPlatform = awsAgentPlatform,
): SQSHandler {
  return serveQueue(agent.name, runClaimedStep(agent), platformOf, [publishOutcome(agent), claimStep(agent)]);
}
