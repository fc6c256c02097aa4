import type { Span } from "#lib/platform/trace/span.ts";
import { type CommandOrder, type CommandResult, runCommand } from "#lib/sandbox/run-command.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import type { LimitHit, Phase } from "#schemas/artifacts/build-test-report.ts";

export interface PhaseRun {
  phase: Phase;
  /** Null when no command ran. */
  result: CommandResult | null;
  /** Content of the log artifact: the command's output, or one line that says why no command ran. */
  log: Buffer;
  /** Why the sandbox could not run the command; null when it could. */
  unavailable: SandboxUnavailable | null;
}

/** The name of a phase and the path of its log artifact. */
type PhaseNames = Pick<Phase, "name"> & { log: string };

interface SpanPorts {
  span<Result>(
    name: string,
    attributes: Record<string, never>,
    work: (span: Pick<Span, "set" | "fail">) => Promise<Result>,
  ): Promise<Result>;
}

const NO_USAGE: Phase["usage"] = {
  wall_ms: 0,
  cpu_ms: null,
  memory_bytes_peak: null,
  processes_peak: null,
  open_files_peak: null,
  bytes_written: null,
  disk_bytes_peak: null,
  inodes_peak: null,
  file_bytes_peak: null,
  output_bytes: 0,
  network_bytes: null,
};

/**
 * Runs one command as a phase of a report, in a trace span that records how it ended and what it used.
 * A missing sandbox is a result here (status `error`), not an exception.
 */
export async function runPhase(
  names: PhaseNames,
  order: CommandOrder,
  { span }: SpanPorts,
): Promise<PhaseRun> {
  return span(names.name, {}, async (phase_span) => {
    const ran = await runWithoutSpan(names, order);
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

async function runWithoutSpan(names: PhaseNames, order: CommandOrder): Promise<PhaseRun> {
  const { command } = order;
  try {
    const result = await runCommand(order);
    const { exit_code, signal, limit, refused, usage, network } = result;
    const status = exit_code === 0 && limit === null ? "passed" : "failed";
    const phase: Phase = { ...names, command, status, exit_code, signal, limit, refused, usage, network };
    return { phase, result, log: result.log, unavailable: null };
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error;
    return { ...phaseWithoutRun(names, command, "error", error.message), unavailable: error };
  }
}

/** A phase without a command, or one that an earlier phase made pointless. */
export function skippedPhase(names: PhaseNames, command: string, why: string): PhaseRun {
  return phaseWithoutRun(names, command, "skipped", why);
}

function phaseWithoutRun(
  { name, log }: PhaseNames,
  command: string,
  status: "error" | "skipped",
  why: string,
): PhaseRun {
  const phase: Phase = {
    ...{ name, log: command === "" ? null : log, command, status },
    ...{ exit_code: null, signal: null, limit: null, refused: null, usage: NO_USAGE, network: null },
  };
  return { phase, result: null, log: Buffer.from(`nothing ran: ${why}\n`), unavailable: null };
}

const DENIALS: readonly string[] = ["SANDBOX_NETWORK_DENIED", "SANDBOX_PATH_DENIED"];

/** One sentence for a person: which limit `subject` (for example "the build") met, and the evidence. */
export function limitReason(subject: string, { code, evidence }: LimitHit): string {
  return DENIALS.includes(code)
    ? `${subject} tried to use what the sandbox denies: ${evidence}`
    : `${subject} exceeded a limit of the sandbox: ${evidence}`;
}
