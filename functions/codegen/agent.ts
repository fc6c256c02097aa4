import type { Agent } from "#lib/agents/agent/agent.ts";
import { CodegenInput, CodegenOutput } from "#schemas/messages/codegen.ts";
import { codegenPorts } from "./dependencies.ts";
import { generateChange } from "./generate-change.ts";

/** Turns a wished change into a diff against the source, and shows that it applies. */
export const codegen: Agent<typeof CodegenInput, typeof CodegenOutput> = {
  name: "codegen",
  input: CodegenInput,
  output: CodegenOutput,
  run: (input, context) => generateChange(input, context, codegenPorts(context)),
};
