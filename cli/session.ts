import { writeSync } from "node:fs";
import type { Command } from "commander";
import { type Api, connect } from "./api.ts";
import { exitCode } from "./exit-code.ts";
import { jsonText, visible } from "./render/visible.ts";
import { resolveSettings } from "./settings.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

/** Options every command has. */
interface GlobalOptions {
  url?: string;
  key?: string;
  json?: boolean;
  raw?: boolean;
}

/** What a command works with. */
export interface Session {
  readonly api: Api;
  /** Read along: standard output, or standard error with --json. */
  readonly terminal: Terminal;
  /** The result: the document with --json, the lines otherwise. Called once. */
  answer(document: unknown, lines: () => string[]): void;
  /** What Ctrl-C says. */
  interruptHints: string[];
}

/** Start a command: find the API, choose where to write, and mind Ctrl-C. */
export function openSession(command: Command): Session {
  const options = command.optsWithGlobals<GlobalOptions>();
  const settings = resolveSettings(options, process.env, process.cwd());
  const raw = options.raw === true;
  const terminal = createTerminal(options.json ? process.stderr : process.stdout, process.env, { raw });
  const session: Session = {
    api: connect(settings, (notice) => terminal.lines(`  ! ${notice}`)),
    terminal,
    answer(document, lines) {
      if (options.json) process.stdout.write(jsonText(document));
      else terminal.lines(...lines());
    },
    interruptHints: ["Nothing was submitted."],
  };
  // Not `once`: under the launcher Ctrl-C arrives twice, and the second must not kill what the first tells.
  process.on("SIGINT", () => {
    // Synchronous, because exit waits for nothing.
    writeSync(2, visible(`\n${["Interrupted.", ...session.interruptHints].join("\n")}\n`));
    process.exit(exitCode.interrupted);
  });
  return session;
}
