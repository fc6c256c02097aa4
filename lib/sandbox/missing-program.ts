import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type CommandOrder, runCommand } from "#lib/sandbox/run-command.ts";

const PLAIN_WORD = /^[A-Za-z0-9_./+-]+$/;
/** Matches quoted text and redirections, which name no programs. */
const NO_PROGRAM = /'[^']*'|"(?:\\.|[^"\\])*"|\d*[<>]+&?\s*\S*/g;
const SEPARATORS = /&&|\|\||[;|&\n]/;
const SCRIPT_RUNNER = /^(?:npm|pnpm|yarn)\s+(?:run(?:-script)?\s+)?(?:-\S+\s+)*([\w:.-]+)/;
const PACKAGE_BYTES_MAX = 1024 * 1024;
const COMMAND_CHARACTERS_MAX = 4096;
const WORDS_MAX = 32;

/**
 * A program that a command line needs and the sandbox lacks, or null. An exit code of 127 is no proof, so the programs
 * that the command line and the package script it runs name are looked up in the sandbox. Words with quotes or
 * variables are skipped.
 */
export async function missingProgram(order: CommandOrder): Promise<string | null> {
  const words = programWords(order.command);
  const script_words = programWords(await packageScript(order.command, order.tree));
  const lookups = [
    ...words.map((word) => lookup(word, "$PATH")),
    ...script_words.map((word) => lookup(word, "$PWD/node_modules/.bin:$PATH")),
  ];
  if (lookups.length === 0) return null;
  const { stdout } = await runCommand({ ...order, command: `${lookups.join("\n")}\nexit 0` });
  return /^missing (\S+)$/m.exec(stdout.toString("utf8"))?.[1] ?? null;
}

function lookup(word: string, path: string): string {
  return `(PATH="${path}"; command -v ${word} >/dev/null 2>&1) || echo "missing ${word}"`;
}

/** The first word of each part of a command line, assignments left off. */
function programWords(command: string): string[] {
  const words = command
    .slice(0, COMMAND_CHARACTERS_MAX)
    .replace(NO_PROGRAM, " ' ")
    .split(SEPARATORS)
    .map((part) => {
      const tokens = part.trim().split(/\s+/);
      return tokens.find((token) => !/^\w+=/.test(token)) ?? "";
    });
  return words.filter((word) => PLAIN_WORD.test(word) && !word.startsWith("-")).slice(0, WORDS_MAX);
}

const PackageScripts = z.object({ scripts: z.record(z.string(), z.string()) });

async function packageScript(command: string, tree: string): Promise<string> {
  const name = SCRIPT_RUNNER.exec(command.trim())?.[1];
  if (name === undefined) return "";
  try {
    const path = join(tree, "package.json");
    const stat = await lstat(path);
    if (!stat.isFile() || stat.size > PACKAGE_BYTES_MAX) return "";
    const { scripts } = PackageScripts.parse(JSON.parse(await readFile(path, "utf8")));
    return scripts[name === "t" ? "test" : name] ?? "";
  } catch {
    return "";
  }
}
