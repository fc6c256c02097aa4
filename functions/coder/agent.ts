import type { Agent } from "#lib/agents/agent/agent.ts";
import { CoderInput, CoderOutput } from "#schemas/messages/coder.ts";
import { coderPorts } from "./dependencies.ts";
import { runCodingAgent } from "./run-coding-agent.ts";

/** Runs a coding agent of the operator's in the sandbox, and takes what it changed as a diff. */
export const coder: Agent<typeof CoderInput, typeof CoderOutput> = {
  name: "coder",
  input: CoderInput,
  output: CoderOutput,
  notices_cancel_ms: 500,
  run: (input, context) => runCodingAgent(input, context, coderPorts(context)),
};
