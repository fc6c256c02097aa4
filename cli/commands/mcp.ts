import { realpathSync } from "node:fs";
import { Command } from "commander";
import { connect } from "../api.ts";
import { UsageError } from "../cli-error.ts";
import { resolveSettings } from "../settings.ts";

interface McpOptions {
  allowWrite?: boolean;
  directory: string;
  url?: string;
  key?: string;
}

const EXAMPLES = `
Examples, as an MCP client's configuration starts it:
  $ agents mcp                                   look only
  $ agents mcp --allow-write --directory ~/shop  submit ~/shop too, cancel tasks, replay failures

Give it a key with no more scopes than it needs. Configuration of clients: docs/guides/mcp.md`;

function rootOf(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    throw new UsageError(`--directory: there is no ${directory}.`, "Give a directory that is there.");
  }
}

async function mcp(_options: McpOptions, command: Command): Promise<void> {
  const { allowWrite = false, directory, url, key } = command.optsWithGlobals<McpOptions>();
  const root = rootOf(directory);
  const flags = { ...(url !== undefined && { url }), ...(key !== undefined && { key }) };
  const tell = (notice: string) => process.stderr.write(`agents mcp: ${notice}\n`);
  if (process.stdin.isTTY) tell("an MCP client starts this; see agents mcp --help");
  // Loaded here, so that no other command pays for it.
  const { serveMcp } = await import("../mcp/serve.ts");
  await serveMcp({
    allow_write: allowWrite,
    contextOf: () => ({ api: connect(resolveSettings(flags, process.env, process.cwd()), tell), root }),
  });
  // The client is gone; nobody reads what open requests would answer.
  process.exit();
}

export function mcpCommand(): Command {
  return new Command("mcp")
    .summary("serve these commands to AI assistants (MCP, stdio)")
    .description(
      "Serve the Model Context Protocol on standard input and output: tools to follow tasks, read artifacts, search code and see failures.",
    )
    .option("--allow-write", "offer the tools that submit, cancel and replay too")
    .option("--directory <dir>", "what may be submitted: this directory and what is below it", ".")
    .addHelpText("after", EXAMPLES)
    .action(mcp);
}
