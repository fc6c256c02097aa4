import { describe, expect, it } from "vitest";
import { dispositionOf, isServiceUnavailable } from "#lib/platform/errors/disposition-of.ts";
import { faultOf, ParkedFault, ThrottledFault } from "#lib/platform/errors/fault.ts";

describe("what becomes of work that failed", () => {
  it("is what the fault says", () => {
    for (const disposition of ["park", "reject", "retry", "terminal", "throttle"] as const) {
      expect(dispositionOf(faultOf(disposition, "RECORDED_ONCE", "a sentence"))).toBe(disposition);
    }
  });

  it("is a longer back-off when AWS throttled", () => {
    const slow = Object.assign(new Error("slow down"), { name: "ProvisionedThroughputExceededException" });
    expect(dispositionOf(slow)).toBe("throttle");
    expect(dispositionOf(Object.assign(new Error("x"), { $retryable: { throttling: true } }))).toBe(
      "throttle",
    );
  });

  it("is another try for anything nobody foresaw", () => {
    expect(dispositionOf(new TypeError("x is not a function"))).toBe("retry");
    expect(dispositionOf("a string")).toBe("retry");
  });

  it("is what the policy says of its code, its name or its class, the most particular first", () => {
    const flaky = new ThrottledFault("MODEL_THROTTLED", "m");
    expect(dispositionOf(flaky, { MODEL_THROTTLED: "terminal", ThrottledFault: "park" })).toBe("terminal");
    expect(dispositionOf(flaky, { ThrottledFault: "park" })).toBe("park");
    expect(dispositionOf(flaky, { OTHER: "park" })).toBe("throttle");
    const refused = Object.assign(new Error("x"), { code: "ECONNREFUSED" });
    expect(dispositionOf(refused, { ECONNREFUSED: "park" })).toBe("park");
    expect(dispositionOf(new TypeError("x"), { UNEXPECTED: "terminal" })).toBe("terminal");
    expect(dispositionOf(new TypeError("x"), { TypeError: "park", UNEXPECTED: "terminal" })).toBe("park");
  });

  it("is not the policy's to say once it is decided", () => {
    const decided = new ParkedFault("STEP_PARKED", "m", { decided: true });
    expect(dispositionOf(decided, { ParkedFault: "terminal" })).toBe("park");
  });
});

describe("an outage", () => {
  it("is a service that cannot be reached, is at fault or throttles", () => {
    expect(isServiceUnavailable(Object.assign(new Error("x"), { code: "ECONNREFUSED" }))).toBe(true);
    expect(isServiceUnavailable(Object.assign(new Error("x"), { name: "TimeoutError" }))).toBe(true);
    expect(isServiceUnavailable(Object.assign(new Error("x"), { $fault: "server" }))).toBe(true);
    expect(isServiceUnavailable(Object.assign(new Error("x"), { name: "ThrottlingException" }))).toBe(true);
  });

  it("is not a bug, nor a request that AWS refuses", () => {
    expect(isServiceUnavailable(new TypeError("x is not a function"))).toBe(false);
    expect(
      isServiceUnavailable(Object.assign(new Error("x"), { $fault: "client", name: "ValidationException" })),
    ).toBe(false);
    expect(isServiceUnavailable("a string")).toBe(false);
  });
});
