import { describe, expect, it } from "vitest";
import { attemptsMaxOf, retryPolicyFor } from "#lib/resilience/retry/retry-policy-for.ts";
import { retryPolicy } from "#test/fakes/retry-policy.ts";

describe("the retry policy for a piece of work", () => {
  it("is the defaults when no override has its labels", () => {
    const config = retryPolicy({}, [{ match: { service: "codegen" }, attempts_max: 9 }]);
    expect(retryPolicyFor(config, { service: "buildtest" })).toEqual(config.defaults);
  });

  it("takes what an override states and leaves the rest", () => {
    const config = retryPolicy({}, [{ match: { service: "codegen" }, attempts_max: 9 }]);
    const policy = retryPolicyFor(config, { service: "codegen", tenant: "acme" });
    expect(policy).toEqual({ ...config.defaults, attempts_max: 9 });
  });

  it("needs every label of an override", () => {
    const config = retryPolicy({}, [{ match: { service: "codegen", dependency: "model" }, attempts_max: 9 }]);
    expect(retryPolicyFor(config, { service: "codegen" }).attempts_max).toBe(5);
    expect(retryPolicyFor(config, { service: "codegen", dependency: "model" }).attempts_max).toBe(9);
  });

  it("lets more labels win whatever the order, and among equals the later entry", () => {
    const config = retryPolicy({}, [
      { match: { dependency: "model", tenant: "acme" }, attempts_max: 7 },
      { match: { service: "codegen" }, attempts_max: 2, jitter: "decorrelated" },
      { match: { dependency: "model" }, attempts_max: 3 },
    ]);
    const labels = { service: "codegen", dependency: "model" };
    expect(retryPolicyFor(config, labels)).toMatchObject({ attempts_max: 3, jitter: "decorrelated" });
    expect(retryPolicyFor(config, { ...labels, tenant: "acme" }).attempts_max).toBe(7);
  });

  it("may be for one error of a service", () => {
    const config = retryPolicy({}, [
      { match: { service: "webhooks" }, attempts_max: 12, backoff_ms_base: 9 },
      { match: { service: "webhooks", code: "WEBHOOK_REFUSED" }, attempts_max: 4 },
    ]);
    const refused = retryPolicyFor(config, { service: "webhooks", code: "WEBHOOK_REFUSED" });
    expect(refused).toMatchObject({ attempts_max: 4, backoff_ms_base: 9 });
    expect(retryPolicyFor(config, { service: "webhooks", code: "WEBHOOK_LATE" }).attempts_max).toBe(12);
    expect(retryPolicyFor(config, { service: "codegen", code: "WEBHOOK_REFUSED" }).attempts_max).toBe(5);
  });

  it("merges dispositions key by key", () => {
    const config = retryPolicy({ dispositions: { MODEL_REFUSED: "retry", FLAKY: "park" } }, [
      { match: { service: "codegen" }, dispositions: { FLAKY: "terminal" } },
    ]);
    const { dispositions } = retryPolicyFor(config, { service: "codegen" });
    expect(dispositions).toEqual({ MODEL_REFUSED: "retry", FLAKY: "terminal" });
    expect(config.defaults.dispositions.FLAKY).toBe("park");
  });
});

describe("how many tries a claim allows", () => {
  it("is the most that any dependency may still fail it", () => {
    const config = retryPolicy({}, [
      { match: { dependency: "model", service: "codegen" }, attempts_max: 9 },
      { match: { dependency: "git" }, attempts_max: 2 },
    ]);
    expect(attemptsMaxOf(config, { service: "codegen" })).toBe(9);
    expect(attemptsMaxOf(config, { service: "buildtest" })).toBe(5);
  });

  it("is the most that any error may still fail it, and no more where all are allowed fewer", () => {
    const config = retryPolicy({}, [
      { match: { service: "webhooks" }, attempts_max: 3 },
      { match: { service: "webhooks", code: "A" }, attempts_max: 2 },
      { match: { code: "B", dependency: "model" }, attempts_max: 7 },
      { match: { code: "B", dependency: "model", service: "codegen" }, attempts_max: 1 },
    ]);
    expect(attemptsMaxOf(config, { service: "webhooks" })).toBe(7);
    expect(attemptsMaxOf(config, { service: "codegen" })).toBe(5);
    const fewer = { ...config, overrides: config.overrides.slice(0, 2) };
    expect(attemptsMaxOf(fewer, { service: "webhooks" })).toBe(3);
  });
});
