import type { Span } from "#lib/platform/trace/span.ts";
import { type CommandOrder, type CommandResult, runCommand } from "#lib/sandbox/run-command.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import type { LimitHit, Phase } from "#schemas/artifacts/build-test-report.ts";

export interface PhaseRun {
  phase: Phase;
  /** Null when nothing ran. */
  result: CommandResult | null;
  /** What the log artifact holds: the command's output, or a line that says why there is none. */
  log: Buffer;
  /** Why the sandbox could not run it; null when it could. */
  unavailable: SandboxUnavailable | null;
}

interface PhasePlace {
  name: Phase["name"];
  log: string;
}

const NO_USAGE = {
  wall_ms: 0,
  cpu_ms: null,
  memory_bytes_peak: null,
  processes_peak: null,
  ...{
    open_files_peak: null,
    bytes_written: null,
    disk_bytes_peak: null,
    inodes_peak: null,
    file_bytes_peak: null,
  },
  output_bytes: 0,
  network_bytes: null,
} as const;

/** Runs one command as a phase of a report. A sandbox that is not to be had is an outcome here. */
export async function runPhase(place: PhasePlace, order: CommandOrder): Promise<PhaseRun> {
  try {
    const result = await runCommand(order);
    const { exit_code, signal, limit, usage, network } = result;
    const status = exit_code === 0 && limit === null ? "passed" : "failed";
    const { command } = order;
    const phase: Phase = { ...place, command, status, exit_code, signal, limit, usage, network };
    return { phase, result, log: result.log, unavailable: null };
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error;
    return { ...nothingRan(place, order.command, "error", error.message), unavailable: error };
  }
}

/** A phase that there was no command for, or that one before it made pointless. */
export function skippedPhase(place: PhasePlace, command: string, why: string): PhaseRun {
  return nothingRan(place, command, "skipped", why);
}

function nothingRan(place: PhasePlace, command: string, status: "error" | "skipped", why: string): PhaseRun {
  const phase: Phase = {
    name: place.name,
    log: command === "" ? null : place.log,
    command,
    status,
    exit_code: null,
    signal: null,
    limit: null,
    usage: NO_USAGE,
    network: null,
  };
  return { phase, result: null, log: Buffer.from(`nothing ran: ${why}\n`), unavailable: null };
}

/** What a phase needs of the work it belongs to: spans of its trace. */
interface SpanPorts {
  span<Result>(
    name: string,
    attributes: Record<string, never>,
    work: (span: Pick<Span, "set" | "fail">) => Promise<Result>,
  ): Promise<Result>;
}

/** Runs a phase in a span of its own, which tells how it ended and what it used. */
export async function phaseInSpan(
  { span }: SpanPorts,
  name: string,
  run: () => Promise<PhaseRun>,
): Promise<PhaseRun> {
  return span(name, {}, async (phase_span) => {
    const ran = await run();
    const { status, exit_code, limit, usage } = ran.phase;
    phase_span.set({
      "agents.phase.status": status,
      ...(exit_code !== null && { "process.exit.code": exit_code }),
      ...(usage.cpu_ms !== null && { "agents.phase.cpu_ms": Math.round(usage.cpu_ms) }),
      ...(usage.memory_bytes_peak !== null && { "agents.phase.memory_bytes_peak": usage.memory_bytes_peak }),
    });
    const code = limit?.code ?? ran.unavailable?.code ?? "COMMAND_FAILED";
    const sentence = limit?.evidence ?? ran.unavailable?.message ?? `exit code ${exit_code}`;
    if (status === "failed" || status === "error") phase_span.fail(code, sentence);
    return ran;
  });
}

const DENIALS: readonly string[] = ["SANDBOX_NETWORK_DENIED", "SANDBOX_PATH_DENIED"];

/** One sentence for a person: what of `subject` (for example "the build") met which limit. */
export function limitReason(subject: string, { code, evidence }: LimitHit): string {
  return DENIALS.includes(code)
    ? `${subject} reached for what the sandbox denies: ${evidence}`
    : `${subject} exceeded a limit of the sandbox: ${evidence}`;
}
