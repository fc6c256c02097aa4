import { QueueDoesNotExist } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { oneAtATime, restoringSource } from "./restoring-source.ts";

const gone = new QueueDoesNotExist({ message: "gone", $metadata: {} });
const { signal } = new AbortController();

function source(...failures: Error[]) {
  return {
    receive: async () => {
      const failure = failures.shift();
      if (failure) throw failure;
      return [];
    },
    delete: async () => {},
  };
}

describe("restoringSource", () => {
  it("has a queue that is gone made anew, and says so; the next time it is there", async () => {
    let restored = 0;
    const restoring = restoringSource(source(gone), async () => {
      restored += 1;
    });
    await expect(restoring.receive(1, 0, signal)).rejects.toBe(gone);
    expect(restored).toBe(1);
    expect(await restoring.receive(1, 0, signal)).toEqual([]);
  });

  it("leaves a server that is only unreachable alone", async () => {
    const unreachable = new Error("connect ECONNREFUSED");
    const restoring = restoringSource(source(unreachable), () => Promise.reject(new Error("restored")));
    await expect(restoring.receive(1, 0, signal)).rejects.toBe(unreachable);
  });
});

describe("oneAtATime", () => {
  it("runs once for all who ask meanwhile, and again for who asks later", async () => {
    let runs = 0;
    const once = oneAtATime(async () => {
      runs += 1;
    });
    await Promise.all([once(), once(), once()]);
    expect(runs).toBe(1);
    await once();
    expect(runs).toBe(2);
  });

  it("runs again after it failed", async () => {
    const outcomes = [new Error("no"), undefined];
    const once = oneAtATime(async () => {
      const outcome = outcomes.shift();
      if (outcome) throw outcome;
    });
    await expect(once()).rejects.toThrow("no");
    await once();
  });
});
