import { type RunResult, run } from "./run.ts";

/** One command that has to pass. */
export interface Gate {
  name: string;
  command: string;
  /** What repairs most of its failures, for the closing hint. */
  repair?: string;
}

export interface GateResult extends RunResult {
  gate: Gate;
}

const EXCERPT_LINES_MAX = 200;

/** Runs all gates, `width` at a time, none skipped; calls `onEnd` as each ends. Results in the given order. */
export async function runGates(
  gates: readonly Gate[],
  directory: string,
  width: number,
  onEnd: (result: GateResult) => void,
): Promise<GateResult[]> {
  const results = new Map<Gate, GateResult>();
  const waiting = [...gates];
  const worker = async () => {
    for (let gate = waiting.shift(); gate; gate = waiting.shift()) {
      const result = { gate, ...(await run(gate.command, directory)) };
      results.set(gate, result);
      onEnd(result);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return gates.flatMap((gate) => results.get(gate) ?? []);
}

/** `passed  types            1.2 s`; a failed gate's last 200 lines of output follow its line. */
export function gateLine({ gate, passed, output, duration_ms }: GateResult): string {
  const line = `${passed ? "passed" : "FAILED"}  ${gate.name.padEnd(14)} ${seconds(duration_ms).padStart(7)}`;
  if (passed) return line;
  const lines = output.trimEnd().split("\n");
  const left_out = lines.length - EXCERPT_LINES_MAX;
  const said = left_out > 0 ? [`… ${left_out} lines`, ...lines.slice(left_out)] : lines;
  const hint = gate.repair ? [`→ ${gate.repair}`] : [];
  return [line, `  $ ${gate.command}`, ...said.map((text) => `  ${text}`), ...hint].join("\n");
}

/** The closing line of a run. */
export function closingLine(results: readonly GateResult[]): string {
  const failed = results.filter(({ passed }) => !passed).map(({ gate }) => gate.name);
  return failed.length === 0 ? `All ${results.length} passed.` : `Failed: ${failed.join(", ")}.`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
