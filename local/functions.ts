import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import Lambda from "serverless-offline/lambda";
import type { Log } from "#lib/platform/log/log.ts";
import type { ServiceFunction } from "./event-source/event-source-mappings.ts";

export interface LoadableFunction extends ServiceFunction {
  handler: string;
  environment?: Record<string, string>;
}

/**
 * Loads every handler once, one after the other, each with its own environment in place: all functions
 * share one process, and what a module reads at its top level must be its own function's. Answers the
 * functions whose handler is missing or does not load; requests to those fail, the others work.
 */
export async function loadHandlers(
  service_directory: string,
  functions: Record<string, LoadableFunction>,
  log: Log,
): Promise<string[]> {
  const broken: string[] = [];
  for (const [function_key, { handler, environment }] of Object.entries(functions)) {
    const file = join(service_directory, handler.replace(/\.[^./]+$/, ".ts"));
    Object.assign(process.env, environment);
    try {
      if (!existsSync(file)) throw new Error(`There is no ${file}.`);
      await import(pathToFileURL(file).href);
    } catch (error) {
      broken.push(function_key);
      log.error("HANDLER_BROKEN", "A handler does not load; its function fails until it does.", {
        function: function_key,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }
  return broken;
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

/**
 * Invokes functions in this process through serverless-offline's runner.
 *
 * @throws what the function threw; past its timeout, an error saying so (the function itself cannot be
 * stopped, as Lambda would, and runs on).
 */
export function inProcessInvoke(serverless: unknown, functions: Record<string, LoadableFunction>): Invoke {
  const lambda = new Lambda(serverless, { host: "127.0.0.1", useInProcess: true, noTimeout: true });
  lambda.create(
    Object.entries(functions).map(([functionKey, functionDefinition]) => ({
      functionKey,
      functionDefinition,
    })),
  );
  return async (function_key, event) => {
    const timeout_seconds = functions[function_key]?.timeout ?? TIMEOUT_SECONDS;
    const ended = new AbortController();
    const late = delay(timeout_seconds * 1000, undefined, { signal: ended.signal }).then(() => {
      throw new Error(`Task timed out after ${timeout_seconds} seconds`);
    });
    const runner = lambda.get(function_key);
    runner.setEvent(event);
    try {
      return await Promise.race([runner.runHandler(), late]);
    } finally {
      late.catch(() => {});
      ended.abort();
    }
  };
}
