import type { InvocationPorts, LambdaContext } from "#lib/platform/lambda/invocation.ts";
import { countBuffer } from "#lib/platform/metrics/count-buffer.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import type { SpanBatch } from "#lib/platform/trace/task-spans.ts";
import { type FakeLogLine, fakeLog } from "#test/fakes/agent-context.ts";

export const LAMBDA: LambdaContext = {
  functionName: "function",
  awsRequestId: "request",
  getRemainingTimeInMillis: () => 60_000,
};

/** The ports of an invocation; what it logs and writes is noted. */
export function invocationPorts() {
  const lines: FakeLogLine[] = [];
  const batches: SpanBatch[] = [];
  const written: { input: unknown }[] = [];
  const ports: InvocationPorts = {
    runtime: systemRuntime,
    counts: countBuffer(systemRuntime),
    table: {
      send: async (command: { input: unknown }) => {
        written.push(command);
        return {};
      },
    } as never,
    settings: { stage: "local", shard: "0", table_name: "table", lease_seconds: 30 } as never,
    logOf: () => fakeLog(lines, {}),
    spanSinks: [
      {
        name: "noted",
        write: async (batch) => {
          batches.push(batch);
        },
      },
    ],
  };
  return { ports, lines, batches, written };
}
