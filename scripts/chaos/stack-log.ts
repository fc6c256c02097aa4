import { existsSync, readFileSync } from "node:fs";

export interface LogLine {
  code: string;
  task_id?: string;
  step?: string;
  round?: number;
  dispatch_count?: number;
  error_code?: string;
}

/** The functions' log lines of all lives of the stack; what a kill cut off is left out. */
export function readStackLog(file: string): LogLine[] {
  return [`${file}.1`, file]
    .filter((path) => existsSync(path))
    .flatMap((path) => readFileSync(path, "utf8").split("\n"))
    .flatMap((line) => parseLine(line));
}

function parseLine(line: string): LogLine[] {
  if (!line.startsWith("{")) return [];
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null && "code" in parsed ? [parsed as LogLine] : [];
  } catch {
    return [];
  }
}

/** How often each step round, or task, is said to have ended: the effects that stood, as told by who made them. */
export function countEndings(lines: LogLine[]): Map<string, number> {
  const endings = new Map<string, number>();
  for (const { code, task_id, step, round } of lines) {
    if (code !== "STEP_ENDED" && code !== "TASK_ENDED") continue;
    const what = code === "STEP_ENDED" ? `${task_id} ${step}#${round}` : `${task_id}`;
    endings.set(what, (endings.get(what) ?? 0) + 1);
  }
  return endings;
}
