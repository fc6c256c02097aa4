import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Log } from "#lib/platform/log/log.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { inProcessInvoke, type LoadableFunction, loadHandlers, serveInvocations } from "./functions.ts";

const SOURCE = `
export const handler = async (event, context) => {
  const function_name = process.env.LOCAL_FUNCTIONS_TEST;
  if (event.fails) throw new Error("as asked");
  if (event.hangs) await new Promise(() => {});
  return { function_name, named: process.env.AWS_LAMBDA_FUNCTION_NAME, context };
};
export const number = 1;
`;

function quietLog() {
  const codes: [code: string, function_key: unknown][] = [];
  const log = {
    error: (code: string, _message: string, facts: { function?: string }) =>
      codes.push([code, facts.function]),
  };
  return { log: log as unknown as Log, codes };
}

async function loaded(functions: Record<string, LoadableFunction>) {
  const directory = temporaryDirectory("functions");
  writeFileSync(join(directory, "one.ts"), SOURCE);
  const { log, codes } = quietLog();
  const handlers = await loadHandlers(directory, functions, log);
  return { handlers, codes, log, invoke: inProcessInvoke(functions, handlers) };
}

const named = (name: string): LoadableFunction => ({
  handler: "one.handler",
  name: `stage-${name}`,
  environment: { LOCAL_FUNCTIONS_TEST: name },
});

describe("functions in this process", () => {
  it("find their own environment and context, also when several are called at once", async () => {
    const { invoke } = await loaded({ a: named("a"), b: { ...named("b"), timeout: 60, memorySize: 512 } });
    const [a, b] = (await Promise.all([invoke("a", {}), invoke("b", {})])) as {
      function_name: string;
      named: string;
      context: { functionName: string; awsRequestId: string; memoryLimitInMB: string };
    }[];
    expect([a?.function_name, b?.function_name]).toEqual(["a", "b"]);
    expect([a?.named, b?.named]).toEqual(["stage-a", "stage-b"]);
    expect(b?.context).toMatchObject({ functionName: "stage-b", memoryLimitInMB: "512" });
    expect(a?.context.awsRequestId).not.toBe(b?.context.awsRequestId);
  });

  it("fail alone when their handler is missing, or is no function", async () => {
    const { handlers, codes, invoke } = await loaded({
      a: named("a"),
      missing: { handler: "two.handler" },
      number: { handler: "one.number" },
    });
    expect([...handlers.keys()]).toEqual(["a"]);
    expect(codes).toEqual([
      ["HANDLER_BROKEN", "missing"],
      ["HANDLER_BROKEN", "number"],
    ]);
    await expect(invoke("number", {})).rejects.toThrow("did not load");
    expect(await invoke("a", {})).toMatchObject({ function_name: "a" });
  });

  it("are given up past their timeout", async () => {
    const { invoke } = await loaded({ a: { ...named("a"), timeout: 0.05 } });
    const error = await invoke("a", { hangs: true }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ message: "Task timed out after 0.05 seconds" });
    expect((error as Error).constructor.name).toBe("LambdaTimeoutError");
  });

  it("serve the HTTP API, each call with its own event, and tell the log what they threw", async () => {
    const { invoke, log, codes } = await loaded({ a: named("a") });
    serveInvocations(invoke, log);
    const { default: Lambda } = await import("serverless-offline/lambda");
    const [fails, works] = [Lambda.prototype.get("a"), Lambda.prototype.get("a")];
    fails.setEvent({ fails: true });
    works.setEvent({});
    await expect(fails.runHandler()).rejects.toThrow("as asked");
    expect(await works.runHandler()).toMatchObject({ function_name: "a" });
    expect(codes).toEqual([["FUNCTION_THREW", "a"]]);
  });
});
