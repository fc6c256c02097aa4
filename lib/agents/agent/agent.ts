import type { z } from "zod";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Span } from "#lib/platform/trace/span.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { ArtifactWriter } from "#lib/work/artifacts/artifact-writer.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { Verdict } from "#schemas/primitives.ts";
import type { SpanAttributes } from "#schemas/records/span.ts";

/** All an agent's `run` may use of the platform. */
export interface AgentContext {
  readonly envelope: Envelope;
  /** Aborted when the lease is lost, the task canceled, or the invocation about to end. */
  readonly signal: AbortSignal;
  readonly blobs: BlobStore;
  readonly artifacts: ArtifactWriter;
  readonly log: Log;
  readonly runtime: Runtime;
  /**
   * Makes one call to a dependency, named as in `model`, through its circuit (docs/guides/circuit.md).
   * `work` gets a signal that ends with this context's.
   *
   * @throws ParkedFault `CIRCUIT_OPEN`, `DEPENDENCY_DAMPED`, `RETRY_BUDGET_SPENT`: let it pass, and the
   *   step waits without losing an attempt
   */
  call<Result>(dependency: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** Does a part of the work in a span of the task's trace, as `build` or `embed`. */
  span<Result>(
    name: string,
    attributes: SpanAttributes,
    work: (span: Span) => Promise<Result>,
  ): Promise<Result>;
}

/** How a run ended. A fault of the submitted work may also be thrown as `RejectedInput`. */
export interface AgentResult<Output> {
  verdict: Verdict;
  code?: string;
  message?: string;
  output?: Output;
}

/** What stands in for a task's orchestrator. No workflow may name such an agent. */
interface Detached {
  /**
   * Asked for a message that comes after its deadline: true when the work has a later one, and a message
   * that says so was sent instead. Else the work is done, or given up, by `run`.
   */
  sendAnew(envelope: Envelope, parent: TraceContext): Promise<boolean>;
}

export interface Agent<Input extends z.ZodType, Output extends z.ZodType> {
  /** The service: its folder in functions/, its queue, its label on everything. */
  name: string;
  input: Input;
  output: Output;
  /** Of an agent whose steps are no part of a task's ledger: the orchestrator is told nothing of them. */
  detached?: Detached;
  /** How soon a running step notices that its task was canceled; at its lease's next renewal unless given. */
  notices_cancel_ms?: number;
  run(input: z.output<Input>, context: AgentContext): Promise<AgentResult<z.input<Output>>>;
}
