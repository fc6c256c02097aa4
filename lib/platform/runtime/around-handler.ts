import type { MiddlewareObj, Request } from "@middy/core";
import type { Context } from "aws-lambda";

/** Runs a handler, or answers without it. Its error and its result become the invocation's. */
type Around = (handler: () => Promise<unknown>) => Promise<unknown>;

/** A handler that middy runs between `before` and `after`. */
interface Run {
  done(response: unknown): void;
  failed(error: unknown): void;
  /** Settles when `Around` does. */
  outcome: Promise<unknown>;
}

/**
 * A middy 7 middleware that puts one function around the handler, where middy itself has only hooks before and
 * after. `aroundOf` may return undefined for an event that needs none. Use it last: middy calls the error hooks in
 * reverse order, and an earlier one that answers the error would end the chain. It must not run the handler in the
 * same turn of the event loop in which it is called.
 */
export function aroundHandler<Event>(
  aroundOf: (event: Event, context: Context) => Around | undefined,
): MiddlewareObj<Event> {
  const runs = new WeakMap<object, Run>();
  return {
    async before(request: Request<Event>) {
      const around = aroundOf(request.event, request.context);
      if (!around) return;
      const started = await start(around);
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
      await run?.outcome.catch(() => undefined); // the caller gets the handler's error
    },
  };
}

/** The run when the handler is to run now; else the response without it. */
function start(around: Around): Promise<{ run: Run } | { response: unknown }> {
  return new Promise((resolve, reject) => {
    const outcome = around(
      () =>
        new Promise((done, failed) => {
          resolve({ run: { done, failed, outcome } }); // assigned by then, see above
        }),
    );
    outcome.then((response) => resolve({ response }), reject);
  });
}
