import { describe, expect, it } from "vitest";
import { ProblemError } from "./problem-error.ts";
import { whenAllowed } from "./when-allowed.ts";

function refusal(code: string, retry_after_ms: number | undefined, status = 429): ProblemError {
  const problem = { type: "about:blank", title: "Too Many Requests", status, code, detail: "", trace_id: "" };
  return new ProblemError(problem, retry_after_ms);
}

/** A request that is refused that many times before it is served. */
function refusedTimes(times: number, error: Error) {
  let calls = 0;
  const request = async () => {
    calls += 1;
    if (calls <= times) throw error;
    return "served";
  };
  return { request, calls: () => calls };
}

describe("whenAllowed", () => {
  it("waits as long as it is asked to, and says so", async () => {
    const notices: string[] = [];
    const { request } = refusedTimes(2, refusal("RATE_LIMITED", 20));
    await expect(whenAllowed(request, (notice) => notices.push(notice))).resolves.toBe("served");
    expect(notices).toEqual(Array(2).fill("The API takes no more of these for 1 s. Waiting …"));
  });

  it("gives up in the end", async () => {
    const { request, calls } = refusedTimes(100, refusal("RATE_LIMITED", 1));
    await expect(whenAllowed(request)).rejects.toMatchObject({ code: "RATE_LIMITED" });
    expect(calls()).toBe(6);
  });

  it.each([
    ["a spent day", refusal("QUOTA_SPENT", 1)],
    ["a refusal that names no time", refusal("RATE_LIMITED", undefined)],
    ["another problem", refusal("RATE_LIMITED", 1, 503)],
    ["another error", new Error("broken")],
  ])("does not wait for %s", async (_name, error) => {
    const { request, calls } = refusedTimes(1, error);
    await expect(whenAllowed(request)).rejects.toBe(error);
    expect(calls()).toBe(1);
  });
});
