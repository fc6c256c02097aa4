import type { Agent } from "#lib/agents/agent/agent.ts";
import { SandboxInput, SandboxOutput } from "#schemas/messages/sandbox.ts";
import { sandboxPorts } from "./dependencies.ts";
import { runInSandbox } from "./run-in-sandbox.ts";

/** Runs one command in the sandbox and reports on it. */
export const sandbox: Agent<typeof SandboxInput, typeof SandboxOutput> = {
  name: "sandbox",
  input: SandboxInput,
  output: SandboxOutput,
  notices_cancel_ms: 500,
  run: (input, context) => runInSandbox(input, context, sandboxPorts(context)),
};
