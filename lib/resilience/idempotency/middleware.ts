import type { MiddlewareObj, Request } from "@middy/core";
import type { Context } from "aws-lambda";
import { type OnceOptions, runOnce } from "#lib/resilience/idempotency/run-once.ts";

export interface IdempotentOptions<Event> extends Omit<OnceOptions, "remainingMs"> {
  /** Names the effect of an event; undefined for an event that needs no protection. */
  key: (event: Event, context: Context) => string | undefined;
  /** What decides the result (JSON). Default: the whole event. */
  source?: (event: Event) => unknown;
}

/** The handler between `before` and `after`, as work that `runOnce` waits for. */
interface Run {
  done(response: unknown): void;
  failed(error: unknown): void;
  /** Settles when the work is recorded. */
  outcome: Promise<unknown>;
}

/**
 * Makes any Lambda handler idempotent, with middy 7: `middy(handler).use(idempotent({ … }))`. Use it
 * last, so that it is the first to learn of an error. Errors as `runOnce` throws them; a duplicate
 * gets the handler's response without a call of the handler.
 */
export function idempotent<Event>(options: IdempotentOptions<Event>): MiddlewareObj<Event> {
  const runs = new WeakMap<object, Run>();
  return {
    async before(request: Request<Event>) {
      const { event, context } = request;
      const key = options.key(event, context);
      if (key === undefined) return;
      const source = options.source ? options.source(event) : event;
      const remainingMs = () => context.getRemainingTimeInMillis();
      const started = await start({ ...options, remainingMs }, key, source);
      if ("run" in started) runs.set(request, started.run);
      else request.earlyResponse = started.response;
    },
    async after(request: Request<Event>) {
      const run = runs.get(request);
      run?.done(request.response);
      await run?.outcome;
    },
    async onError(request: Request<Event>) {
      const run = runs.get(request);
      run?.failed(request.error);
      await run?.outcome.catch(() => undefined); // the handler's error it is that the caller gets
    },
  };
}

/** The run when this call has the work to do, else the response of the one that did it. */
function start(
  options: OnceOptions,
  key: string,
  source: unknown,
): Promise<{ run: Run } | { response: unknown }> {
  return new Promise((resolve, reject) => {
    const outcome = runOnce(
      options,
      key,
      source,
      () =>
        new Promise((done, failed) => {
          // `outcome` is assigned by then: a claim takes at least one turn of the event loop.
          resolve({ run: { done, failed, outcome } });
        }),
    );
    outcome.then((response) => resolve({ response }), reject);
  });
}
