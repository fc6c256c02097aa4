import type { z } from "zod";
import { BuildtestInput, BuildtestOutput } from "#schemas/messages/buildtest.ts";
import { CodegenInput, CodegenOutput } from "#schemas/messages/codegen.ts";
import { IndexingInput, IndexingOutput } from "#schemas/messages/indexing.ts";
import { SandboxInput, SandboxOutput } from "#schemas/messages/sandbox.ts";

/** What each agent takes and gives, so that a changed workflow can be checked before it is in force. */
const MESSAGES: Record<string, { Input: z.ZodObject; Output: z.ZodObject }> = {
  buildtest: { Input: BuildtestInput, Output: BuildtestOutput },
  codegen: { Input: CodegenInput, Output: CodegenOutput },
  indexing: { Input: IndexingInput, Output: IndexingOutput },
  sandbox: { Input: SandboxInput, Output: SandboxOutput },
};

/** The fields of an agent's message; undefined for an agent this version does not know. */
export function agentMessages(agent: string, end: "Input" | "Output"): Record<string, z.ZodType> | undefined {
  return Object.hasOwn(MESSAGES, agent) ? (MESSAGES[agent]?.[end].shape as never) : undefined;
}
