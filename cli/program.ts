import { Command } from "commander";
import manifest from "../package.json" with { type: "json" };
import { alertsCommand } from "./commands/alerts.ts";
import { applyCommand } from "./commands/apply.ts";
import { artifactsCommand } from "./commands/artifacts.ts";
import { auditCommand } from "./commands/audit.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { circuitsCommand } from "./commands/circuits.ts";
import { diffCommand } from "./commands/diff.ts";
import { dlqCommand } from "./commands/dlq.ts";
import { indexCommand } from "./commands/index-source.ts";
import { keysCommand } from "./commands/keys.ts";
import { logsCommand } from "./commands/logs.ts";
import { mcpCommand } from "./commands/mcp.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { policiesCommand } from "./commands/policies.ts";
import { prCommand } from "./commands/pr.ts";
import { queryCommand } from "./commands/query.ts";
import { replaysCommand } from "./commands/replays.ts";
import { statusCommand } from "./commands/status.ts";
import { submitCommand } from "./commands/submit.ts";
import { tasksCommand } from "./commands/tasks.ts";
import { traceCommand } from "./commands/trace.ts";
import { webhooksCommand } from "./commands/webhooks.ts";
import { visible } from "./render/visible.ts";

const GENERAL = `
Exit codes:
  0    passed, or done as asked
  1    the submitted work failed or was canceled, or its patch was not applied
  2    the command line or the submission is wrong
  3    the platform had an error
  4    the API cannot be reached, or does not know the key
  130  interrupted

Where the API is: --url and --key, else AGENTS_URL and AGENTS_KEY, else the nearest
.local/credentials.json, which \`npm start\` writes.`;

/** What commander says of a wrong command line quotes it. */
function writeErr(text: string): void {
  process.stderr.write(process.stderr.isTTY ? visible(text) : text);
}

/** The words that name a command, such as `agents keys create`. */
function wordsOf(command: Command): string {
  return command.parent ? `${wordsOf(command.parent)} ${command.name()}` : command.name();
}

/** The command line as a whole. Errors are thrown, never exited on. */
export function createProgram(): Command {
  const program = new Command("agents")
    .description("Submit work to Distributed Agents, follow it, and fetch what it made.")
    .version(manifest.version, "--version")
    .option("--url <url>", "where the API is (AGENTS_URL)")
    .option("--key <key>", "API key (AGENTS_KEY)")
    .option("--json", "print one JSON document on standard output, all else on standard error")
    .option("--raw", "on a terminal too, print control characters of what was submitted as they are")
    .addHelpText("after", GENERAL);
  const commands = [
    submitCommand(),
    statusCommand(),
    tasksCommand(),
    cancelCommand(),
    diffCommand(),
    applyCommand(),
    prCommand(),
    artifactsCommand(),
    logsCommand(),
    traceCommand(),
    indexCommand(),
    queryCommand(),
    policiesCommand(),
    circuitsCommand(),
    metricsCommand(),
    alertsCommand(),
    keysCommand(),
    auditCommand(),
    webhooksCommand(),
    dlqCommand(),
    replaysCommand(),
    mcpCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands, ...commands.flatMap(({ commands: nested }) => nested)]) {
    command.exitOverride().showSuggestionAfterError().configureHelp({ showGlobalOptions: true });
    command.configureOutput({ writeErr });
    command.showHelpAfterError(`See ${wordsOf(command)} --help.`);
  }
  return program;
}
