import { AsyncLocalStorage } from "node:async_hooks";

/** One call of an AWS service as its client saw it, the SDK's own retries included. */
export interface AwsCall {
  /** `dynamodb`, `s3`, `sns`, `sqs`. */
  service: string;
  /** For example `PutItem`. */
  operation: string;
  /** Unix time. */
  start_ms: number;
  duration_ms: number;
  /** Undefined when it succeeded. */
  error?: { name: string; message: string; status: number | undefined };
}

export type CallMeter = (call: AwsCall) => void;

/**
 * The meter of the work in progress. All concurrent work of a process shares the clients, and calls are made in many
 * places, so the meter is carried in the asynchronous context instead of in parameters.
 */
const meters = new AsyncLocalStorage<CallMeter>();

/** Runs `work` and records every AWS call it makes with `meter`. */
export function withCallMeter<Result>(meter: CallMeter, work: () => Promise<Result>): Promise<Result> {
  return meters.run(meter, work);
}

type Next = (args: never) => Promise<unknown>;

/** The part of an SDK client that is used here. */
interface MeteredClient {
  middlewareStack: {
    add(
      middleware: (next: never, context: { commandName?: string }) => Next,
      options: { step: "initialize"; name: string },
    ): void;
  };
}

/** Records each AWS call of this client in the caller's `CallMeter`. */
export function meterClient<Client>(client: Client, service: string): Client {
  const metered = (next: Next, context: { commandName?: string }): Next => {
    const operation = (context.commandName ?? "unknown").replace(/Command$/, "");
    return async (args) => {
      const meter = meters.getStore();
      if (!meter) return next(args);
      const start_ms = Date.now();
      const started = performance.now();
      const tell = (error?: AwsCall["error"]) =>
        meter({
          service,
          operation,
          start_ms,
          duration_ms: performance.now() - started,
          ...(error && { error }),
        });
      try {
        const answer = await next(args);
        tell();
        return answer;
      } catch (error) {
        tell(callError(error));
        throw error;
      }
    };
  };
  const { middlewareStack } = client as unknown as MeteredClient;
  middlewareStack.add(metered as never, { step: "initialize", name: "callMeter" });
  return client;
}

function callError(error: unknown): NonNullable<AwsCall["error"]> {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  return { name, message: String(message), status: $metadata?.httpStatusCode };
}
