import type { MiddlewareObj } from "@middy/core";
import type { Context } from "aws-lambda";
import type { ConfigEvent } from "#lib/platform/config/config-file.ts";
import type { Following } from "#lib/platform/config/config-store.ts";
import type { Log } from "#lib/platform/log/log.ts";
import type { CountBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { type Counters, makeCounters } from "#lib/platform/metrics/counters.ts";
import { reportMetrics } from "#lib/platform/metrics/report-metrics.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import type { TableClient } from "#lib/platform/table/operations.ts";
import { type InvocationSpans, invocationSpans } from "#lib/platform/trace/invocation-spans.ts";
import type { SpanSink } from "#lib/platform/trace/task-spans.ts";

/** What every invocation of a function needs, whatever triggers it: a queue, a request, a schedule. */
export interface InvocationPorts {
  runtime: Runtime;
  table: TableClient;
  settings: Settings;
  /** The counts of this environment that are not in the table yet. */
  counts: CountBuffer;
  logOf(service: string): Log;
  /** Brings the configuration up to date when an invocation begins; absent where it cannot change. */
  followConfig?(log: Log): Promise<Following>;
  /** Receive finished spans; without them no span is kept. */
  spanSinks?: readonly SpanSink[];
}

/** The parts of Lambda's context that are used. */
export type LambdaContext = Pick<Context, "awsRequestId" | "functionName" | "getRemainingTimeInMillis">;

/**
 * One invocation on its way through a stack of middlewares, which is the event that each of them sees.
 * A middleware finishes its own part in `after` and `onError`, and leaves what has to be written to `last`.
 */
export interface Invocation<Ports extends InvocationPorts = InvocationPorts> {
  service: string;
  platform: Ports;
  log: Log;
  lambda: LambdaContext;
  counters: Counters;
  /** Messages that it serves; 1 for a request. */
  served: number;
  spans: InvocationSpans;
  /** Set by `followConfig`. */
  following?: Following | undefined;
  /** Writes to be done at the end, side by side. None of them throws. */
  last: (() => Promise<unknown>)[];
}

export type InvocationMiddleware = MiddlewareObj<Invocation>;

/** The state that an invocation's middlewares share, at its beginning. */
export function beginInvocation<Ports extends InvocationPorts>(
  service: string,
  lambda: LambdaContext,
  platform: Ports,
): Invocation<Ports> {
  const { runtime, spanSinks: sinks } = platform;
  const log = platform.logOf(service);
  const { functionName: function_name, awsRequestId: invocation } = lambda;
  return {
    service,
    platform,
    log,
    lambda,
    counters: makeCounters(),
    served: 1,
    spans: invocationSpans({ service, function_name, invocation, runtime, log, sinks }),
    last: [],
  };
}

/** Makes the last writes of the other middlewares, side by side. Stands first, so it acts last. */
export function finishInvocation(): InvocationMiddleware {
  return atEnd(async ({ last }) => {
    await Promise.all(last.map((write) => write()));
  });
}

/** Writes the spans that were recorded, within the time that is left. */
export function flushSpans(): InvocationMiddleware {
  return atEnd(({ last, spans, lambda }) => {
    last.push(() => spans.flush(lambda.getRemainingTimeInMillis()));
  });
}

/** Reports the counts of the invocation under this role, and its service unless another is given. */
export function reportCounts(role: string, as?: string): InvocationMiddleware {
  return atEnd(({ last, service, counters, served, platform, log }) => {
    last.push(() => reportMetrics({ service: as ?? service, role }, { counters, served }, platform, log));
  });
}

/**
 * Brings the configuration up to date at the beginning, keeps it so until the end, and counts the changes
 * that were noticed. They are handed to `noticed`, if given, as one of the last writes.
 */
export function followConfig<Call extends Invocation>(
  noticed?: (changes: ConfigEvent[], call: Call) => Promise<void>,
): MiddlewareObj<Call> {
  const end = ({ event: call }: { event: Call }) => {
    const { following } = call;
    following?.stop(call.counters);
    if (following && noticed) call.last.push(() => noticed(following.takeChanges(), call));
  };
  return {
    before: async ({ event: call }) => {
      const { platform, service } = call;
      call.following = await platform.followConfig?.(platform.logOf(service));
    },
    after: end,
    onError: end,
  };
}

/** A middleware that acts when the handler has ended, in whatever way. */
function atEnd(act: (call: Invocation) => void | Promise<void>): InvocationMiddleware {
  const end = ({ event }: { event: Invocation }) => act(event);
  return { after: end, onError: end };
}
