import type { Agent } from "#lib/agents/agent/agent.ts";
import { BuildtestInput, BuildtestOutput } from "#schemas/messages/buildtest.ts";
import { buildAndTest } from "./build-and-test.ts";
import { buildtestPorts } from "./dependencies.ts";

/** Builds and tests a source in the sandbox and reports on it. */
export const buildtest: Agent<typeof BuildtestInput, typeof BuildtestOutput> = {
  name: "buildtest",
  input: BuildtestInput,
  output: BuildtestOutput,
  notices_cancel_ms: 500,
  run: (input, context) => buildAndTest(input, context, buildtestPorts(context)),
};
