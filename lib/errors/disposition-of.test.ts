import { describe, expect, it } from "vitest";
import { dispositionOf } from "#lib/errors/disposition-of.ts";
import { ParkedFault, RejectedInput, TerminalFault, ThrottledFault } from "#lib/errors/fault.ts";

describe("what becomes of work that failed", () => {
  it("is what the fault says", () => {
    const faults = [ParkedFault, RejectedInput, TerminalFault, ThrottledFault];
    const dispositions = faults.map((Kind) => dispositionOf(new Kind("SOME_CODE", "a sentence")));
    expect(dispositions).toEqual(["park", "reject", "terminal", "throttle"]);
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
});
