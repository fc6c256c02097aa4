import { randomUUID } from "node:crypto";
import { tracingChannel } from "node:diagnostics_channel";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Context } from "aws-lambda";
import Lambda from "serverless-offline/lambda";
import type { Log } from "#lib/platform/log/log.ts";
import type { ServiceFunction } from "./event-source/event-source-mappings.ts";

export interface LoadableFunction extends ServiceFunction {
  handler: string;
  /** As deployed, with service and stage. */
  name?: string;
  /** Megabytes, as Lambda counts them. */
  memorySize?: number;
  environment?: Record<string, string>;
}

type Handler = (event: unknown, context: Context) => unknown;

/**
 * Loads every handler once, one after the other, each with its own environment in place: all functions
 * share one process, and what a module reads at its top level must be its own function's. A function
 * whose handler is missing or does not load is not among the answer; the others work.
 */
export async function loadHandlers(
  service_directory: string,
  functions: Record<string, LoadableFunction>,
  log: Log,
): Promise<Map<string, Handler>> {
  const handlers = new Map<string, Handler>();
  for (const [function_key, { handler, environment }] of Object.entries(functions)) {
    const [, path = "", name = ""] = /^(.*)\.([^./]+)$/.exec(handler) ?? [];
    const file = join(service_directory, `${path}.ts`);
    Object.assign(process.env, environment);
    try {
      if (!existsSync(file)) throw new Error(`There is no ${file}.`);
      const { [name]: loaded } = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
      if (typeof loaded !== "function") throw new Error(`${file} exports no function ${name}.`);
      handlers.set(function_key, loaded as Handler);
    } catch (error) {
      log.error("HANDLER_BROKEN", "A handler does not load; its function fails until it does.", {
        function: function_key,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }
  return handlers;
}

/**
 * Keeps serverless-offline from opening its port for invoking functions: whoever reaches it, a web page too,
 * would call any function with any event, and no key.
 */
export function closeInvocationPort(): void {
  Lambda.prototype.start = async () => {};
}

export type Invoke = (function_key: string, event: unknown) => Promise<unknown>;

const TIMEOUT_SECONDS = 6;
const MEMORY_SIZE = 1024;

/** Tells tools which function an asynchronous context belongs to: `{ function_key }`. */
const invocations = tracingChannel<unknown, { function_key: string }>("local-stack.invocation");

/** An invocation took longer than its function's timeout. serverless-offline tells this error by its name. */
class LambdaTimeoutError extends Error {}

/**
 * Invokes the loaded handlers in this process, each call with its function's environment in place.
 *
 * @throws what the function threw; past its timeout, an error saying so (the function itself cannot be
 * stopped, as Lambda would, and runs on).
 */
export function inProcessInvoke(
  functions: Record<string, LoadableFunction>,
  handlers: ReadonlyMap<string, Handler>,
): Invoke {
  const environments = new Map(
    Object.entries(functions).map(([key, definition]) => [key, runtimeEnvironment(key, definition)]),
  );
  return async (function_key, event) => {
    const { [function_key]: definition } = functions;
    const handler = handlers.get(function_key);
    if (definition === undefined || handler === undefined)
      throw new Error(`The handler of ${function_key} did not load; see the log.`);
    const { timeout: timeout_seconds = TIMEOUT_SECONDS } = definition;
    const context = contextOf(function_key, definition, timeout_seconds);
    const run = async () => handler(event, context);
    Object.assign(process.env, environments.get(function_key));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = () => reject(new LambdaTimeoutError(`Task timed out after ${timeout_seconds} seconds`));
      timer = setTimeout(fail, timeout_seconds * 1000);
    });
    try {
      return await Promise.race([invocations.tracePromise(run, { function_key }), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/**
 * Has serverless-offline, which serves the HTTP API, invoke functions through `invoke`. Its own runner looks for the
 * handler's file at every call, 0.3 ms of the processor, and calls the handler some turns of the event loop after it
 * put the environment in place: another function's may be there by then.
 */
export function serveInvocations(invoke: Invoke, log: Log): void {
  Lambda.prototype.get = (function_key: string) => {
    let event: unknown;
    return {
      setEvent(given: unknown) {
        event = given;
      },
      setClientContext() {},
      async runHandler() {
        try {
          return await invoke(function_key, event);
        } catch (error) {
          log.error("FUNCTION_THREW", "The function threw.", {
            function: function_key,
            error: error instanceof Error ? (error.stack ?? error.message) : String(error),
          });
          throw error;
        }
      },
    };
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function runtimeEnvironment(function_key: string, definition: LoadableFunction): Record<string, string> {
  const { handler, name = function_key, memorySize = MEMORY_SIZE, environment } = definition;
  return {
    _HANDLER: handler,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: "local",
    ...environment,
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
function contextOf(function_key: string, definition: LoadableFunction, timeout_seconds: number): Context {
  const { name = function_key, memorySize = MEMORY_SIZE } = definition;
  const ends_at = performance.now() + timeout_seconds * 1000;
  return {
    awsRequestId: randomUUID(),
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${name}`,
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: "local",
    memoryLimitInMB: String(memorySize),
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(ends_at - performance.now())),
    done() {},
    fail() {},
    succeed() {},
  };
}
