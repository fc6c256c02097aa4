import type { SQSHandler } from "aws-lambda";
import type { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { claimStep, runClaimedStep } from "#lib/agents/agent/claim-step.ts";
import { type MessageMiddleware, type ReceivedMessage, received } from "#lib/agents/agent/message.ts";
import { type AgentPlatform, awsAgentPlatform } from "#lib/agents/agent/platform.ts";
import type { EndedStep } from "#lib/agents/agent/record-outcome.ts";
import { serveQueue } from "#lib/agents/agent/serve-queue.ts";
import { buryMessage } from "#lib/agents/agent/settle-failure.ts";
import { resolveFailures } from "#lib/agents/dlq/failure-store.ts";
import { faultOf } from "#lib/platform/errors/fault.ts";
import { nudge, prepareNudge, type SendPrepared } from "#lib/platform/messages/send-message.ts";

/**
 * Makes an agent's Lambda handler. An agent declares its name, its input and output schemas and `run`. The stack
 * adds parsing, tracing, the idempotency claim with its lease, artifacts that are visible only when the step
 * completes, retries by disposition, the DLQ, metrics and the partial batch response.
 */
export function defineAgent<Input extends z.ZodType, Output extends z.ZodType>(
  agent: Agent<Input, Output>,
  platformOf: () => AgentPlatform = awsAgentPlatform,
): SQSHandler {
  return serveQueue(agent.name, runClaimedStep(agent), platformOf, [publishOutcome(agent), claimStep(agent)]);
}

/**
 * Publishes the step's outcome before its message is acknowledged: first a dead letter when the outcome requires
 * one, then a nudge to the orchestrator, unless the agent is detached. Safe to repeat. A message received after its
 * deadline only nudges the orchestrator, because the task may have a new deadline.
 */
export function publishOutcome(agent: Pick<Agent<z.ZodType, z.ZodType>, "detached">): MessageMiddleware {
  return {
    before: ({ event }) => {
      if (agent.detached) return;
      const message = received(event);
      let prepared: SendPrepared | undefined;
      event.prepareNudge = () => {
        prepared ??= prepareNudge(taskOf(message), "step_ended", message.platform);
        return prepared;
      };
    },
    after: async ({ event, response }) => {
      const message = received(event);
      const { envelope, platform, claim } = message;
      if (!claim) {
        if (!agent.detached) await nudge(taskOf(message), "replayed", platform);
        return;
      }
      const ended = response?.ended;
      if (!ended) return;
      const { table, settings, runtime } = platform;
      if (ended.dead_letter) await bury(message, ended);
      else if (ended.replay_count) {
        await resolveFailures(envelope, ended.replay_count, {
          table,
          table_name: settings.table_name,
          runtime,
        });
      }
      await message.prepareNudge?.()();
    },
  };
}

function taskOf({ envelope: { tenant, task_id, deadline_at }, span }: ReceivedMessage) {
  return { tenant, task_id, deadline_at, parent: span };
}

function bury(
  received_message: ReceivedMessage,
  { code = "UNEXPECTED", message = "no message", cause, attempts, replay_count = 0 }: EndedStep,
): Promise<void> {
  const { envelope, counters, log } = received_message;
  counters.count("messages_terminal", envelope.tenant);
  log.error("MESSAGE_DEAD_LETTERED", `message sent to the DLQ: ${message}`, { error_code: code });
  const error = faultOf("terminal", code, message, { cause });
  return buryMessage({ ...received_message, service: envelope.service, error, attempts, replay_count });
}
