import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { countCapacity } from "../requests/count-capacity.ts";

/**
 * Loaded into a local stack with `--import`: writes down every call of an AWS service, with the
 * function that makes it, to one file a process in AWS_CALLS_DIRECTORY. Presigned requests count as
 * calls: whoever signs one needs the permission. For the table each call has the capacity it took.
 */
const directory = process.env.AWS_CALLS_DIRECTORY;
if (!directory) throw new Error("set AWS_CALLS_DIRECTORY to where the calls are to be written");
const file = join(directory, `${process.pid}.jsonl`);

countCapacity();

const invoked = new AsyncLocalStorage<string>();

const { start } = tracingChannel<unknown, { function_key: string }>("local-stack.invocation");
start.bindStore(invoked, ({ function_key }) => function_key);

type Handler = (request: unknown) => Promise<{ output?: { ConsumedCapacity?: unknown } }>;
interface CommandPrototype {
  resolveMiddlewareWithContext(...given: unknown[]): Handler;
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
prototype.resolveMiddlewareWithContext = function (this: { input: Record<string, unknown> }, ...given) {
  const function_key = invoked.getStore();
  if (function_key === undefined) return resolve.apply(this, given);
  if (this.input.TableName !== undefined) this.input.ReturnConsumedCapacity = "INDEXES";
  const handle = resolve.apply(this, given);
  const { Body: _, ...input } = this.input;
  const call = { function: function_key, command: this.constructor.name, input };
  return async (request) => {
    const note = (more: object) => append({ ...call, at_ms: Date.now(), ...more });
    try {
      const answer = await handle(request);
      note({ consumed: answer.output?.ConsumedCapacity });
      return answer;
    } catch (error) {
      note({ error: (error as Error).name });
      throw error;
    }
  };
};

function append(call: object): void {
  const json = JSON.stringify(call, (_key, value) => (value instanceof Uint8Array ? null : value));
  appendFileSync(file, `${json}\n`);
}
