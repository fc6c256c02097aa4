import type { Circuits, CircuitView } from "#schemas/http/circuits.ts";
import { formatDuration } from "./format.ts";
import type { Paint } from "./paint.ts";

/** One line a circuit: state, window, what is let through; below it who forced it or why it is not closed. */
export function circuitTable({ circuits }: Circuits, paint: Paint, now: number): string[] {
  if (circuits.length === 0) return ["No dependency has been called yet."];
  const width = Math.max(...circuits.map(({ key }) => key.length));
  return circuits.flatMap((circuit) => circuitLines(circuit, width, paint, now));
}

export function circuitLines(circuit: CircuitView, width: number, paint: Paint, now: number): string[] {
  const { window, forced } = circuit;
  const word = forced ? `forced ${forced.state}` : circuit.state.replace("_", " ");
  const stopped = forced ? forced.state === "open" : circuit.state !== "closed";
  const damped = !stopped && circuit.admitted_share < 1;
  const colour = stopped ? paint.red : damped ? paint.yellow : paint.green;
  const failed = `${window.failures} of ${window.calls} failed in ${window.seconds} s`;
  const share = damped ? `  ${Math.round(circuit.admitted_share * 100)} % let through` : "";
  const line = `${colour(stopped ? "✗" : "✓")} ${circuit.key.padEnd(width)}  ${word.padEnd(13)}  ${failed}${share}`;
  return [line, ...notes(circuit, now).map((note) => paint.dim(`  ${note}`))];
}

function notes({ forced, state, trail, next_probe_at, probe_until }: CircuitView, now: number): string[] {
  if (forced) {
    return [
      `By ${forced.by} since ${forced.at}${forced.until ? ` until ${forced.until}` : ""}: ${forced.why}`,
    ];
  }
  const last = trail.findLast(({ event }) => event === "opened");
  const due_ms = next_probe_at ? Date.parse(next_probe_at) - now : 0;
  return [
    ...(state !== "closed" && last ? [`Opened ${last.at}: ${last.why} (${last.code})`] : []),
    ...(next_probe_at
      ? [due_ms > 0 ? `Next probe in ${formatDuration(due_ms)}` : "The next call is the probe"]
      : []),
    ...(probe_until ? ["A probe is under way"] : []),
  ];
}
