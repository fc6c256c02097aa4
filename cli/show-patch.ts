import { once } from "node:events";
import { Option } from "commander";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import type { TaskPatch } from "./patch/task-patch.ts";
import { diffLines } from "./render/diff-lines.ts";
import { diffStat } from "./render/diff-stat.ts";
import type { Paint } from "./render/paint.ts";
import { createTerminal } from "./terminal.ts";

export interface ShowOptions {
  stat?: boolean;
  color: "auto" | "always" | "never";
  raw?: boolean;
}

type Environment = Record<string, string | undefined>;

/** `--color <when>`, as git and ls have it. */
export function colorOption(): Option {
  return new Option("--color <when>", "colours: auto is on a terminal, but not with NO_COLOR")
    .choices(["auto", "always", "never"])
    .default("auto");
}

/** Variables by which a terminal writes in colours or not, as asked for. */
function coloured(env: Environment, color: ShowOptions["color"]): Environment {
  const { NO_COLOR, TERM, ...others } = env;
  if (color === "always") return others;
  return color === "never" ? { ...env, NO_COLOR: "1" } : { ...others, NO_COLOR, TERM };
}

function linesOf({ bytes, files, changes }: TaskPatch, { stat }: ShowOptions, paint: Paint): string[] {
  return stat ? diffStat(changes, files, paint) : diffLines(bytes, paint);
}

interface Output {
  write(text: string | Uint8Array): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * Shows a patch. On a terminal in colours, with what would act on it spelled out, through the pager when `paged`;
 * into a pipe the patch byte by byte, or coloured and spelled out when colours are asked for.
 */
export async function showPatch(
  patch: TaskPatch,
  options: ShowOptions,
  { stream, env, paged }: { stream: Output; env: Environment; paged: boolean },
): Promise<void> {
  const on_terminal = stream.isTTY === true;
  const for_eyes = on_terminal || options.color === "always";
  if (!for_eyes && !options.stat) return void stream.write(patch.bytes);
  const write = (to: (text: string) => unknown) => {
    const eyes = { write: to, isTTY: for_eyes, ...(stream.columns && { columns: stream.columns }) };
    const terminal = createTerminal(eyes, coloured(env, options.color), { raw: options.raw === true });
    terminal.lines(...linesOf(patch, options, terminal.paint));
  };
  const pager = paged && on_terminal ? pagerOf(env) : undefined;
  if (pager === undefined) return write((text) => stream.write(text));
  if (!(await throughPager(pager, env, write))) write((text) => stream.write(text));
}

/** The shell command of the pager; undefined for none: `PAGER` empty or `cat`. */
function pagerOf({ PAGER, TERM }: Environment): string | undefined {
  const pager = PAGER ?? (TERM === "dumb" ? "" : "less -FRX");
  return pager.trim() === "" || pager.trim() === "cat" ? undefined : pager;
}

/** Exit codes of a shell when the program cannot be run or does not exist. */
const NOT_STARTED = [126, 127];

/** False when there is no such pager, and so nothing was shown. */
async function throughPager(
  pager: string,
  env: Environment,
  write: (to: (text: string) => unknown) => void,
): Promise<boolean> {
  const child = spawnProgram("/bin/sh", ["-c", pager], {
    // As git does it, so that a plain `less` takes colours, ends by itself and leaves the text standing.
    env: { LESS: "FRX", LV: "-c", ...env },
    stdio: ["pipe", "inherit", env.PAGER === undefined ? "ignore" : "inherit"],
  });
  // Ctrl-C is the pager's while it is there.
  const others = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT");
  const ignore = () => {};
  process.on("SIGINT", ignore);
  try {
    const closed = once(child, "close");
    child.stdin?.on("error", () => {}); // a reader who has seen enough
    write((text) => child.stdin?.write(text));
    child.stdin?.end();
    const [code] = await closed;
    return !NOT_STARTED.includes(code);
  } catch {
    return false;
  } finally {
    process.removeListener("SIGINT", ignore);
    for (const listener of others) process.on("SIGINT", listener as NodeJS.SignalsListener);
  }
}
