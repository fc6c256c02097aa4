import type { Agent } from "#lib/agents/agent/agent.ts";
import { IndexingInput, IndexingOutput } from "#schemas/messages/indexing.ts";
import { dependencies } from "./dependencies.ts";
import { indexRepository } from "./index-repository.ts";

export const indexing: Agent<typeof IndexingInput, typeof IndexingOutput> = {
  name: "indexing",
  input: IndexingInput,
  output: IndexingOutput,
  run: (input, context) => indexRepository(input, context, dependencies(context)),
};
