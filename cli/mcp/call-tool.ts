import type { CallToolResult } from "@modelcontextprotocol/server";
import { z } from "zod";
import { describeIssue } from "#schemas/issue-sentence.ts";
import { asCliError, CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { jsonText } from "../render/visible.ts";
import { artifactTools } from "./artifact-tools.ts";
import { bounded } from "./bounded.ts";
import { failureTools } from "./failure-tools.ts";
import { submitTools } from "./submit-tool.ts";
import { taskTools } from "./task-tools.ts";
import type { Tool, ToolAnswer, ToolContext } from "./tool.ts";

const TOOLS = [...submitTools, ...taskTools, ...artifactTools, ...failureTools];

/** The tools of a server: those that change something only where it may write. */
export function toolsFor(allow_write: boolean): Tool[] {
  return TOOLS.filter(({ writes }) => allow_write || !writes);
}

/** A tool as `tools/list` describes it. https://modelcontextprotocol.io/specification */
export function toolListing({ name, title, description, input, writes }: Tool) {
  const inputSchema = z.toJSONSchema(input, { io: "input" }) as {
    type: "object";
    [keyword: string]: unknown;
  };
  return {
    name,
    title,
    description,
    inputSchema,
    annotations: { readOnlyHint: !writes, destructiveHint: writes, openWorldHint: true },
  };
}

interface ToolCall {
  name: string;
  arguments?: Record<string, unknown> | undefined;
}

/**
 * Run a tool. Whatever goes wrong, bad arguments too, is an answer with `isError` and a stable code, so that the model reads
 * it; nothing is thrown. `contextOf` is asked once the arguments are known to be good.
 */
export async function callTool(
  call: ToolCall,
  allow_write: boolean,
  contextOf: () => ToolContext,
): Promise<CallToolResult> {
  try {
    const tool = findTool(call.name, allow_write);
    const parsed = tool.input.safeParse(call.arguments ?? {});
    if (!parsed.success) throw wrongArguments(tool, parsed.error);
    return resultOf(await tool.run(parsed.data, contextOf()));
  } catch (thrown) {
    const { code, message, hints, trace_id } = asCliError(thrown);
    return { ...resultOf({ document: { error: { code, message, hints, trace_id } } }), isError: true };
  }
}

function findTool(name: string, allow_write: boolean): Tool {
  const tool = TOOLS.find((one) => one.name === name);
  if (tool === undefined) {
    const names = toolsFor(allow_write).map((one) => one.name);
    throw new CliError(exitCode.usage, "TOOL_UNKNOWN", `There is no tool ${JSON.stringify(name)}.`, {
      hints: [`There are: ${names.join(", ")}.`],
    });
  }
  if (tool.writes && !allow_write) {
    throw new CliError(
      exitCode.usage,
      "WRITE_NOT_ALLOWED",
      `${name} changes something, and this server only reads.`,
      {
        hints: ["The person who configured it may start it as `agents mcp --allow-write`."],
      },
    );
  }
  return tool;
}

const ISSUES_MAX = 20;

function wrongArguments({ name }: Tool, { issues }: z.ZodError): CliError {
  const hints = issues.slice(0, ISSUES_MAX).map(describeIssue);
  return new CliError(exitCode.usage, "ARGUMENTS_INVALID", `The arguments of ${name} are wrong.`, { hints });
}

/** Characters that hide or reorder text are escaped in the JSON, as for a terminal. */
function resultOf({ document, text }: ToolAnswer): CallToolResult {
  const parts = [jsonText(bounded(document)), ...(text === undefined ? [] : [text])];
  return { content: parts.map((part) => ({ type: "text", text: part })) };
}
