import { AsyncLocalStorage } from "node:async_hooks";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import Lambda from "serverless-offline/lambda";

/**
 * Loaded into a local stack with `--import`: writes down every call of an AWS service, with the
 * function that makes it, to one file a process in AWS_CALLS_DIRECTORY. Presigned requests count as
 * calls: whoever signs one needs the permission.
 */
const directory = process.env.AWS_CALLS_DIRECTORY;
if (!directory) throw new Error("set AWS_CALLS_DIRECTORY to where the calls are to be written");
const file = join(directory, `${process.pid}.jsonl`);

const invoked = new AsyncLocalStorage<string>();

type Runner = ReturnType<typeof Lambda.prototype.get>;
const named = new WeakSet<Runner>();
const { get } = Lambda.prototype;
Lambda.prototype.get = function (function_key: string): Runner {
  const runner = get.call(this, function_key);
  if (named.has(runner)) return runner;
  named.add(runner);
  const run = runner.runHandler.bind(runner);
  runner.runHandler = () => invoked.run(function_key, run);
  return runner;
};

interface CommandPrototype {
  resolveMiddlewareWithContext(...given: unknown[]): unknown;
}
/** The class that every command of every client extends. */
function commandPrototype(): CommandPrototype {
  let prototype: object = GetItemCommand.prototype;
  while (!Object.hasOwn(prototype, "resolveMiddlewareWithContext")) {
    prototype = Object.getPrototypeOf(prototype);
    if (prototype === null) throw new Error("the AWS SDK's commands have no common class any more");
  }
  return prototype as CommandPrototype;
}
const prototype = commandPrototype();
const resolve = prototype.resolveMiddlewareWithContext;
prototype.resolveMiddlewareWithContext = function (this: { input: object }, ...given) {
  const function_key = invoked.getStore();
  if (function_key !== undefined) {
    const { Body: _, ...input } = this.input as { Body?: unknown };
    const call = { function: function_key, command: this.constructor.name, input };
    appendFileSync(
      file,
      `${JSON.stringify(call, (_key, value) => (value instanceof Uint8Array ? null : value))}\n`,
    );
  }
  return resolve.apply(this, given);
};
