import type { z } from "zod";
import type { BlobStore } from "#lib/platform/blobs/blobs.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { CountedMetric } from "#lib/platform/metrics/catalogue.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Span } from "#lib/platform/trace/span.ts";
import type { TraceContext } from "#lib/platform/trace/traceparent.ts";
import type { ArtifactWriter } from "#lib/work/artifacts/artifact-writer.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";
import type { Verdict } from "#schemas/primitives.ts";
import type { SpanAttributes } from "#schemas/records/span.ts";

/** The parts of the platform that an agent's `run` may use. */
export interface AgentContext {
  readonly envelope: Envelope;
  /** Aborted when the lease is lost, the task is canceled, or the invocation is about to end. */
  readonly signal: AbortSignal;
  readonly blobs: BlobStore;
  readonly artifacts: ArtifactWriter;
  readonly log: Log;
  readonly runtime: Runtime;
  /**
   * Makes one call to a dependency, named as in `model`, through its circuit (docs/guides/circuit.md).
   * `work` gets a signal that ends with this context's. A dependency with several endpoints has a circuit for each.
   *
   * @throws ParkedFault `CIRCUIT_OPEN`, `DEPENDENCY_DAMPED`, `RETRY_BUDGET_SPENT`: do not catch it; the
   *   step then waits without losing an attempt
   */
  call<Result>(
    dependency: string,
    work: (signal: AbortSignal) => Promise<Result>,
    endpoint?: string,
  ): Promise<Result>;
  /** Runs a part of the work in a span of the task's trace, for example `build` or `embed`. */
  span<Result>(
    name: string,
    attributes: SpanAttributes,
    work: (span: Span) => Promise<Result>,
  ): Promise<Result>;
  /** Adds to a metric of the catalogue, under the message's tenant. */
  count(metric: CountedMetric, amount?: number): void;
}

/** How a run ended. A fault of the submitted work may also be thrown as `RejectedInput`. */
export interface AgentResult<Output> {
  verdict: Verdict;
  code?: string;
  message?: string;
  output?: Output;
}

/** Replaces the orchestrator for an agent whose steps belong to no workflow. No workflow may name such an agent. */
interface Detached {
  /**
   * Called for a message received after its deadline. Returns true when the work has a later deadline and a new
   * message with that deadline was sent. Otherwise `run` does the work or gives it up.
   */
  sendAnew(envelope: Envelope, parent: TraceContext): Promise<boolean>;
}

export interface Agent<Input extends z.ZodType, Output extends z.ZodType> {
  /** The service: its folder in functions/, its queue, its label on everything. */
  name: string;
  input: Input;
  output: Output;
  /** Set for an agent whose steps are not in a task's ledger: the orchestrator is not nudged for them. */
  detached?: Detached;
  /** Interval at which a running step checks whether its task was canceled; default: at each lease renewal. */
  notices_cancel_ms?: number;
  run(input: z.output<Input>, context: AgentContext): Promise<AgentResult<z.input<Output>>>;
}
