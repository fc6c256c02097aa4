import type { Span } from "#lib/platform/trace/span.ts";
import type { PhaseRun } from "#lib/sandbox/run-phase.ts";

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
