import type { LogLine } from "../stack-log.ts";
import type { Paint } from "./paint.ts";

/** `12:00:01.250 warn sandbox STEP_RETRIES …`, and what it is about. */
export function logLine(line: LogLine, paint: Paint): string {
  const time = (line.at ?? line.time ?? "").slice(11, 23);
  const level = line.level ?? "info";
  const shown = level === "error" ? paint.red(level) : level === "warn" ? paint.yellow(level) : level;
  const about = [line.task_id, line.trace_id].filter((each) => each !== undefined);
  const words = [time, shown, line.service ?? "", paint.bold(line.code ?? ""), line.message ?? ""];
  return [...words.map(String), paint.dim(about.join(" "))].filter((word) => word !== "").join(" ");
}
