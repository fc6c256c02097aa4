import { CommanderError } from "commander";
import { asCliError, type CliError } from "./cli-error.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { createProgram } from "./program.ts";
import { errorLines } from "./render/error-lines.ts";
import { jsonText } from "./render/visible.ts";
import { createTerminal } from "./terminal.ts";

function report(error: CliError, json: boolean): void {
  const terminal = createTerminal(process.stderr, process.env);
  terminal.lines(...errorLines(error, terminal.paint));
  if (!json) return;
  const { code, message, hints, trace_id, exit_code } = error;
  process.stdout.write(jsonText({ error: { code, message, hints, trace_id, exit_code } }));
}

async function main(argv: string[]): Promise<ExitCode | undefined> {
  const json = argv.includes("--json");
  try {
    await createProgram().parseAsync(argv, { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      const cli_error = asCliError(error);
      report(cli_error, json);
      return cli_error.exit_code;
    }
    // Commander has told it on standard error already; asking for help is no error.
    if (error.exitCode === 0) return exitCode.passed;
    if (json) {
      const document = { error: { code: "USAGE", message: error.message, exit_code: exitCode.usage } };
      process.stdout.write(jsonText(document));
    }
    return exitCode.usage;
  }
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});
const code = await main(process.argv.slice(2));
if (code !== undefined) process.exitCode = code;
