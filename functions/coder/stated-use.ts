import { constants } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { stripAnsi } from "#lib/code/test-results/strip-ansi.ts";
import { plusUse, readUsageLines, type StatedUse } from "#lib/platform/config/usage-line.ts";
import { NOTHING_SPENT, plus, type Spending } from "#lib/resilience/spending/model-spending.ts";
import type { AgentEntry } from "#schemas/config/codegen.ts";
import type { AgentUse } from "#schemas/messages/coder.ts";

/** Bytes of a usage file that are read; what stands behind them is not counted. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * What a run of an agent used of its model, as the agent itself says it: in its output or in a file below its home, by
 * `usage` of its entry. Null when the entry names no place, or nothing is stated there. The file is the work of a command
 * that nobody trusts: links are not followed, and what is no number is no use.
 */
export async function readStatedUse(
  usage: AgentEntry["usage"],
  { log, home }: { log: Buffer; home: string },
): Promise<AgentUse | null> {
  if (!usage) return null;
  const text = usage.file === undefined ? log.toString("utf8") : await readBelow(home, usage.file);
  const stated =
    usage.lines.length > 0 ? readUsageLines(stripAnsi(text), usage.lines) : readUsageObjects(text);
  return stated ? useOf(stated) : null;
}

function useOf(stated: StatedUse): AgentUse {
  const whole = (value: number | undefined) => (value === undefined ? null : Math.round(value));
  const { input_tokens, output_tokens, usd } = stated;
  const both =
    input_tokens === undefined && output_tokens === undefined
      ? undefined
      : (input_tokens ?? 0) + (output_tokens ?? 0);
  return {
    tokens: whole(stated.tokens ?? both),
    input_tokens: whole(input_tokens),
    cached_input_tokens: whole(stated.cached_input_tokens),
    output_tokens: whole(output_tokens),
    usd: usd ?? null,
  };
}

/** What a task has spent after a run; undefined where no run of it has stated anything. */
export function spentWith(before: Spending | undefined, use: AgentUse | null): Spending | undefined {
  return use ? plus(before ?? NOTHING_SPENT, spendingOfUse(use)) : before;
}

export function spendingOfUse(use: AgentUse | null): Spending {
  return { tokens: use?.tokens ?? 0, usd_micros: Math.ceil((use?.usd ?? 0) * 1e6) };
}

const Count = z.number().min(0).max(1e12).optional().catch(undefined);
const Stated = z.object({
  tokens: Count,
  input_tokens: Count,
  cached_input_tokens: Count,
  output_tokens: Count,
  usd: z.number().min(0).max(1e6).optional().catch(undefined),
});

/** JSON of our own form: one object, a list of them, or one a line. They are added up. */
function readUsageObjects(text: string): StatedUse | undefined {
  const whole = parsed(text);
  const values = whole === undefined ? text.split("\n").map(parsed) : [whole].flat();
  let sum: StatedUse | undefined;
  for (const value of values) {
    const { data = {} } = Stated.safeParse(value);
    const fields = Object.entries(data).filter(([, number]) => number !== undefined);
    if (fields.length > 0) sum = plusUse(sum, Object.fromEntries(fields));
  }
  return sum;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text of a regular file below a directory; empty where there is none, or where a link leads to it. */
async function readBelow(directory: string, path: string): Promise<string> {
  try {
    // No realpath: the workspace may be in another mount namespace.
    for (let at = dirname(path); at !== "."; at = dirname(at)) {
      if (!(await lstat(join(directory, at))).isDirectory()) return "";
    }
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(join(directory, path), flags);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return "";
      const bytes = Buffer.alloc(Math.min(FILE_BYTES_MAX, stat.size));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      return bytes.subarray(0, bytesRead).toString("utf8");
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}
