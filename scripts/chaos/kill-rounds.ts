import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Stack, startStack } from "../../local/stack.ts";
import { type LogLine, readStackLog } from "./stack-log.ts";

export interface Lives {
  /** Starts the stack where the one before was killed. */
  begin(): Promise<Stack>;
  log(): LogLine[];
}

/** The same data, port and settings in every life. */
export function stackLives(options: { port: number; data_dir: string; env: Record<string, string> }): Lives {
  return {
    begin: () => startStack(options),
    log: () => readStackLog(join(options.data_dir, "stack.log")),
  };
}

export interface Killed {
  uptime_ms: number;
  /** Steps that were running when the kill came, as `<step>`. */
  during: string[];
}

const UPTIME_MS_MIN = 300;
const UPTIME_MS_MAX = 8_000;

/** One life of the stack: it starts, is given work, and is killed at a random moment. */
export async function liveAndDie(
  lives: Lives,
  random: () => number,
  work: (stack: Stack) => void,
): Promise<Killed> {
  const before = lives.log().length;
  const stack = await lives.begin();
  const uptime_ms = UPTIME_MS_MIN + random() * (UPTIME_MS_MAX - UPTIME_MS_MIN);
  work(stack);
  await delay(uptime_ms);
  stack.kill();
  return { uptime_ms, during: cutOff(lives.log().slice(before)) };
}

/** Steps these lines start and do not end. */
function cutOff(lines: LogLine[]): string[] {
  const running = new Map<string, string>();
  for (const { code, task_id, step = "", round } of lines) {
    const key = `${task_id} ${step} ${round}`;
    if (code === "STEP_STARTED") running.set(key, step);
    if (code === "STEP_ENDED" || code === "MESSAGE_RETURNS") running.delete(key);
  }
  return [...running.values()];
}
