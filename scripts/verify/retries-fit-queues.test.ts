import { describe, expect, it } from "vitest";
import { retryPolicy } from "#test/fakes/retry-policy.ts";
import { greeterTree, serverless } from "./fixture.ts";
import { retriesFitQueues } from "./retries-fit-queues.ts";

function findings(policy: object, yaml?: string) {
  const files = {
    "configs/retry_policy.json": JSON.stringify(policy),
    ...(yaml && { "serverless.yml": yaml }),
  };
  return retriesFitQueues.check(greeterTree(files));
}

describe("retries-fit-queues", () => {
  it("accepts a policy that every queue leaves room for", () => {
    expect(findings(retryPolicy({}, [{ match: { tenant: "acme" }, attempts_max: 19 }]))).toEqual([]);
  });

  it("rejects as many attempts as a queue has receives, in an override too", () => {
    const expected = [expect.stringContaining("allows 20 attempts and GreeterQueue only 20 receives")];
    expect(findings(retryPolicy({ attempts_max: 20 }))).toEqual(expected);
    expect(findings(retryPolicy({}, [{ match: { tenant: "acme" }, attempts_max: 20 }]))).toEqual(expected);
  });

  it("rejects a queue that gives messages up at another receive than the code", () => {
    const yaml = serverless("maxReceiveCount: 20", "maxReceiveCount: 12");
    expect(findings(retryPolicy(), yaml)).toEqual([expect.stringContaining("maxReceiveCount to 20")]);
  });

  it("rejects a queue that forgets a message before the policy does", () => {
    const yaml = serverless(
      "VisibilityTimeout: 180",
      "VisibilityTimeout: 180\n        MessageRetentionPeriod: 600",
    );
    expect(findings(retryPolicy(), yaml)).toEqual([expect.stringContaining("raise MessageRetentionPeriod")]);
  });

  it("rejects a total shorter than one try", () => {
    expect(findings(retryPolicy({ total_seconds_max: 30, last_try_seconds_min: 0 }))).toEqual([
      expect.stringContaining("total_seconds_max of 30 ends before one try of greeter may (30 s)"),
    ]);
    const other = { match: { service: "other" }, total_seconds_max: 30, last_try_seconds_min: 0 };
    expect(findings(retryPolicy({}, [other]))).toEqual([]);
  });
});
