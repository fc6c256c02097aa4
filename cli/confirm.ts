import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { CliError } from "./cli-error.ts";
import { exitCode } from "./exit-code.ts";
import { visible } from "./render/visible.ts";

interface Asked {
  input: Readable & { isTTY?: boolean };
  output: Writable;
}

/** Asks a question that is answered with y or yes. @throws CliError `NOT_CONFIRMED` when it is not, or nobody is there */
export async function confirm(
  question: string,
  { input, output }: Asked = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (input.isTTY !== true) {
    throw new CliError(
      exitCode.usage,
      "NOT_CONFIRMED",
      "Nobody can be asked: standard input is no terminal.",
      {
        hints: ["Say yes beforehand: --yes"],
      },
    );
  }
  const lines = createInterface({ input, output });
  // The end of the input, and Ctrl-C, are no answer.
  const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  const answer = await Promise.race([lines.question(`${visible(question)} [y/N] `), closed]);
  lines.close();
  if (/^\s*y(?:es)?\s*$/i.test(answer)) return;
  throw new CliError(exitCode.failed, "NOT_CONFIRMED", "Nothing was changed.");
}
