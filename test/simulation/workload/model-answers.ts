import type { z } from "zod";
import type { Agent } from "#lib/agents/agent/agent.ts";
import { runOnce } from "#lib/resilience/idempotency/run-once.ts";
import { modelChoice } from "#test/fakes/model-choice.ts";
import type { Answer } from "../../../functions/codegen/providers/ask-model.ts";
import { type Once, storedAnswer } from "../../../functions/codegen/providers/stored-answer.ts";
import type { World } from "../engine/world.ts";
import { spendTime } from "./agents.ts";
import type { SimulatedPlatform } from "./simulated-platform.ts";

type AnyAgent = Agent<z.ZodType, z.ZodType>;

const DAY_SECONDS = 86_400;
const usage = { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1 };

/**
 * The agent, which first puts a question to a model in some of its rounds, by the code that stores answers. An answer
 * that the code was told is stored is never paid for again by whoever comes to the step after that. A process that
 * claimed the question before, and stood still for longer than its lease, may still ask: no endpoint knows of fences.
 */
export function askingAgent(
  agent: AnyAgent,
  world: World,
  { table, table_name, runtime }: SimulatedPlatform,
): AnyAgent {
  const once: Once = async (key, source, work) => {
    const options = { table, table_name, runtime, namespace: "model_answers" };
    const is_stored = world.stored_answers.has(key);
    const asking = () => {
      if (is_stored) world.violate("no answer is paid for twice", key);
      return work();
    };
    const kept = await runOnce(
      {
        ...options,
        lease_seconds: world.deployment.lease_ms / 1000,
        expires_after_seconds: 30 * DAY_SECONDS,
      },
      key,
      source,
      asking,
    );
    world.stored_answers.add(key);
    return kept;
  };
  return {
    ...agent,
    async run(input, context) {
      const { round } = context.envelope;
      const ask = async (): Promise<Answer> => {
        world.count("questions asked");
        await spendTime(world, context);
        return { text: `answer ${runtime.uuid()}`, calls: [], usage, finish: "complete" };
      };
      if (round % 2 === 0) {
        const budget = { table, table_name, now: runtime.now };
        const question = { instructions: "mend it", messages: [] };
        await storedAnswer(question, 1, modelChoice(), context, { once, budget, ask });
        world.count("answers used");
      }
      return agent.run(input, context);
    },
  };
}
