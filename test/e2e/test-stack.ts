import { rmSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";
import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";
import { type ApiClient, developmentClient } from "./client.ts";

/**
 * A local stack of the test file's own, and a client of its development tenant. It starts before the file's tests and
 * ends after them; its data directory is removed then. `options` may wait for what the stack needs. Not for a file
 * whose stack is started again meanwhile.
 */
export function testStack(options: () => StackOptions | Promise<StackOptions> = () => ({})): {
  stack: Stack;
  api: ApiClient;
} {
  let stack: Stack | undefined;
  let api: ApiClient | undefined;
  beforeAll(async () => {
    stack = await startStack(await options());
    api = developmentClient(stack.url, stack.data_dir);
  });
  afterAll(async () => {
    if (!stack) return;
    await stack.stop();
    rmSync(stack.data_dir, { recursive: true, force: true });
  });
  return { stack: onceMade(() => stack), api: onceMade(() => api) };
}

/** Stands for an object that is made later. */
function onceMade<Made extends object>(made: () => Made | undefined): Made {
  const get = (_: object, name: string | symbol) => {
    const object = made();
    if (!object) throw new Error("the stack is not started yet");
    return Reflect.get(object, name);
  };
  return new Proxy<Made>({} as Made, { get });
}
