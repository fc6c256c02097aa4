import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { ComputationLimits } from "#lib/platform/confined/computation.ts";
import { createConfinement } from "#lib/platform/confined/confinement.ts";
import { RejectedInput, RetryableFault } from "#lib/platform/errors/fault.ts";
import { temporaryDirectory } from "#test/temporary.ts";

const MEBIBYTE = 1024 * 1024;
const LIMITS: ComputationLimits = {
  wall_seconds_max: 60,
  memory_bytes_max: 256 * MEBIBYTE,
  output_bytes_max: MEBIBYTE,
};
const FIXTURE = new URL("../../../test/fakes/confined-child.ts", import.meta.url);
const confinement = createConfinement(FIXTURE, 4);
afterAll(() => confinement.close());

const ask = (
  name: string,
  input?: unknown,
  order: {
    limits?: Partial<ComputationLimits>;
    signal?: AbortSignal;
    deadline_ms?: number;
    tenant?: string;
  } = {},
) =>
  confinement.run({ name, result: z.unknown() }, input, {
    tenant: order.tenant ?? "acme",
    signal: order.signal ?? new AbortController().signal,
    deadline_ms: order.deadline_ms,
    limits: { ...LIMITS, ...order.limits },
  });

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    (value) => expect.fail(`gave ${JSON.stringify(value)}`),
    (error: unknown) => error as RejectedInput,
  );

describe("a computation in a child process", () => {
  it("gets its input and gives its result, bytes as bytes", async () => {
    const input = {
      text: "größer",
      bytes: Buffer.from([0, 255]),
      nothing: undefined,
      list: [new Map([[1, 2]])],
    };
    expect(await ask("echo", input)).toEqual(input);
  });

  it("is done by a child that is kept, one after the other", async () => {
    const first = await ask("pid");
    expect(await ask("pid")).toBe(first);
  });

  it("runs beside others", async () => {
    const tenants = ["acme", "acme", "other"];
    const pids = await Promise.all(tenants.map((tenant) => ask("pid", 0, { tenant })));
    expect(new Set(pids).size).toBe(3);
  });

  it("waits for its turn when all children are busy, and can give up waiting", async () => {
    const one = createConfinement(FIXTURE, 1);
    const order = { tenant: "acme", limits: LIMITS, signal: new AbortController().signal };
    const echo = { name: "echo", result: z.number() };
    try {
      const stop = new AbortController();
      const hanging = one.run({ name: "hang", result: z.unknown() }, 0, { ...order, signal: stop.signal });
      const impatient = new AbortController();
      const given_up = one.run(echo, 1, { ...order, signal: impatient.signal });
      const patient = one.run(echo, 2, order);
      impatient.abort(new Error("no longer wanted"));
      await expect(given_up).rejects.toThrow("no longer wanted");
      stop.abort(new Error("canceled"));
      await expect(hanging).rejects.toThrow("canceled");
      expect(await patient).toBe(2);
    } finally {
      one.close();
    }
  });

  it("has its result checked", async () => {
    const run = confinement.run({ name: "echo", result: z.number() }, "text", {
      tenant: "acme",
      limits: LIMITS,
      signal: new AbortController().signal,
    });
    await expect(run).rejects.toThrow(z.ZodError);
  });

  it("keeps the code and the class of what it throws", async () => {
    const rejected = await refusal(ask("reject"));
    expect(rejected).toBeInstanceOf(RejectedInput);
    expect(rejected).toMatchObject({ code: "DIFF_EMPTY", message: "the input is bad" });
    expect(await refusal(ask("full"))).toMatchObject({ code: "ENOSPC", message: "no space" });
  });

  it("may print what it likes", async () => {
    expect(await ask("print", "x".repeat(1000))).toBe("printed");
  });

  it("sees no environment and no file of the process that started it", async () => {
    const directory = temporaryDirectory("confined");
    const file = openSync(join(directory, "secret"), "w+");
    const fresh = createConfinement(FIXTURE, 1);
    try {
      const seen = (await fresh.run({ name: "surroundings", result: z.any() }, undefined, {
        tenant: "acme",
        limits: LIMITS,
        signal: new AbortController().signal,
      })) as { environment: Record<string, string>; descriptors: string[] };
      expect(Object.keys(seen.environment).filter((name) => !/^(PWD|_|SHLVL|OLDPWD)$/.test(name))).toEqual(
        [],
      );
      const named = seen.descriptors.filter((each) => / \/(?!dev\/null|proc\/)/.test(each));
      expect(named).toEqual([]);
    } finally {
      fresh.close();
      closeSync(file);
    }
  });
});

describe("a tenant that has more to compute than there are children", () => {
  it("holds half of them, and another tenant's computations go ahead, one or many", async () => {
    const shared = createConfinement(FIXTURE, 4);
    const stop = new AbortController();
    const hang = { name: "hang", result: z.unknown() };
    const order = { limits: LIMITS, signal: new AbortController().signal };
    const hanging = Array.from({ length: 20 }, () =>
      shared.run(hang, 0, { ...order, tenant: "greedy", signal: stop.signal }),
    );
    const ended = Promise.allSettled(hanging);
    try {
      const echo = (value: number) =>
        shared.run({ name: "echo", result: z.number() }, value, { ...order, tenant: "quiet" });
      expect(await Promise.all([1, 2, 3, 4, 5].map(echo))).toEqual([1, 2, 3, 4, 5]);
      const third = shared.run(hang, 0, { ...order, tenant: "greedy too", signal: stop.signal });
      void third.catch(() => undefined);
      expect(await echo(6)).toBe(6);
    } finally {
      stop.abort(new Error("canceled"));
      expect((await ended).map(({ status }) => status)).toEqual(hanging.map(() => "rejected"));
      shared.close();
    }
  });
});

describe("a limit on a computation", () => {
  it("ends one that spins, and one that hangs", async () => {
    for (const name of ["spin", "hang"]) {
      const error = await refusal(ask(name, 0, { limits: { wall_seconds_max: 0.3 } }));
      expect(error).toBeInstanceOf(RejectedInput);
      expect(error).toMatchObject({ code: "COMPUTATION_TIME_LIMIT" });
      expect(error.message).toContain("0.3 seconds");
    }
  });

  it("is cut to the task's deadline", async () => {
    const error = await refusal(ask("spin", 0, { deadline_ms: Date.now() + 200 }));
    expect(error).toMatchObject({ code: "COMPUTATION_TIME_LIMIT" });
  });

  it("ends it with the signal, with the signal's reason", async () => {
    const stop = new AbortController();
    const spinning = ask("spin", 0, { signal: stop.signal });
    await delay(100);
    stop.abort(new Error("canceled"));
    await expect(spinning).rejects.toThrow("canceled");
    await expect(ask("echo", 1, { signal: stop.signal })).rejects.toThrow("canceled");
  });

  it.each(["heap", "native", "huge"])("of memory is named: %s", async (name) => {
    const error = await refusal(ask(name));
    expect(error).toBeInstanceOf(RejectedInput);
    expect(error.code).toBe("COMPUTATION_MEMORY_LIMIT");
  });

  it("of output is named", async () => {
    expect(await ask("long", 1000)).toHaveLength(1000);
    const error = await refusal(ask("long", 2 * MEBIBYTE));
    expect(error).toBeInstanceOf(RejectedInput);
    expect(error.code).toBe("COMPUTATION_OUTPUT_LIMIT");
  });

  it("leaves the event loop free", async () => {
    let longest_ms = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longest_ms = Math.max(longest_ms, performance.now() - last);
      last = performance.now();
    }, 5);
    await refusal(ask("spin", 0, { limits: { wall_seconds_max: 5 } }));
    clearInterval(beat);
    expect(longest_ms).toBeLessThan(4500);
  });
});

describe("a child process that ends", () => {
  it.each(["SIGSEGV", "SIGBUS", "SIGILL"])("by %s has crashed on its input, for good", async (signal) => {
    const error = await refusal(ask("signal", signal));
    expect(error).toBeInstanceOf(RejectedInput);
    expect(error).toMatchObject({ code: "COMPUTATION_CRASHED" });
    expect(error.message).toContain(signal);
  });

  it("by aborting or with an exit code has crashed too", async () => {
    expect(await refusal(ask("abort"))).toMatchObject({ code: "COMPUTATION_CRASHED" });
    expect(await refusal(ask("exit", 3))).toMatchObject({ code: "COMPUTATION_CRASHED" });
  });

  it("because it was killed from outside may work next time", async () => {
    const error = await refusal(ask("signal", "SIGKILL"));
    expect(error).toBeInstanceOf(RetryableFault);
    expect(error).toMatchObject({ code: "COMPUTATION_INTERRUPTED" });
  });

  it("is replaced", async () => {
    const first = await ask("pid");
    await refusal(ask("abort"));
    expect(await ask("pid")).not.toBe(first);
  });

  it("while it is idle is replaced", async () => {
    const pid = (await ask("pid")) as number;
    process.kill(pid, "SIGKILL");
    for (;;) {
      const next = await ask("pid").catch((error: RetryableFault) => error.code);
      if (next !== "COMPUTATION_INTERRUPTED") {
        expect(next).not.toBe(pid);
        return;
      }
    }
  });

  it("before it is ready is tried again", async () => {
    const broken = createConfinement(new URL("./absent.ts", import.meta.url));
    const run = broken.run({ name: "echo", result: z.unknown() }, 1, {
      tenant: "acme",
      limits: LIMITS,
      signal: new AbortController().signal,
    });
    const error = await refusal(run);
    expect(error).toBeInstanceOf(RetryableFault);
    expect(error).toMatchObject({ code: "COMPUTATION_UNAVAILABLE" });
  });
});
