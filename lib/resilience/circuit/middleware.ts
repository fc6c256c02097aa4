import type { MiddlewareObj, Request } from "@middy/core";
import type { Context } from "aws-lambda";
import type { DependencyGuard, GuardedCall } from "#lib/resilience/circuit/dependency-guard.ts";

export interface GuardedOptions<Event> {
  guard: DependencyGuard;
  /** The call an event stands for; undefined for one that needs no guard. */
  call: (event: Event, context: Context) => GuardedCall | undefined;
}

interface Run {
  done(response: unknown): void;
  failed(error: unknown): void;
  outcome: Promise<unknown>;
}

/**
 * Makes a whole Lambda handler one guarded call, with middy 7: `middy(handler).use(guarded({ … }))`.
 * For a handler that is little more than a call to one dependency; within others use `guard.call`.
 * Use it last. When the circuit does not let the call, the handler is not run and the `ParkedFault`
 * goes to the error handlers used before.
 */
export function guarded<Event>({ guard, call }: GuardedOptions<Event>): MiddlewareObj<Event> {
  const runs = new WeakMap<object, Run>();
  return {
    async before(request: Request<Event>) {
      const asked = call(request.event, request.context);
      if (asked) runs.set(request, await start(guard, asked));
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

/** Settles when the handler may run; rejects when it may not. */
function start(guard: DependencyGuard, asked: GuardedCall): Promise<Run> {
  return new Promise((resolve, reject) => {
    const outcome = guard.call(
      asked,
      () =>
        new Promise((done, failed) => {
          resolve({ done, failed, outcome }); // assigned by then: a guard looks at its table first
        }),
    );
    outcome.catch(reject);
  });
}
