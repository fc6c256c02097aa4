import { describe, expect, it } from "vitest";
import { AddressForbidden } from "#lib/platform/outbound/resolve-host.ts";
import { refusalOf, unreachable } from "#lib/work/webhooks/judge-receiver.ts";

const NOW = Date.UTC(2026, 0, 1);
const answer = (status: number, headers: Record<string, string> = {}) =>
  refusalOf({ status, headers: new Headers(headers) }, NOW);
const live = new AbortController().signal;

describe("what a receiver answered", () => {
  it.each([200, 201, 202, 204, 299])("%i means that it was taken", (status) =>
    expect(answer(status)).toBeUndefined(),
  );

  it.each([
    [301, "WEBHOOK_REDIRECTS"],
    [308, "WEBHOOK_REDIRECTS"],
    [400, "WEBHOOK_REFUSED"],
    [401, "WEBHOOK_REFUSED"],
    [404, "WEBHOOK_REFUSED"],
    [422, "WEBHOOK_REFUSED"],
    [499, "WEBHOOK_REFUSED"],
  ])("%i means %s: the receiver is there and does not want it", (status, code) => {
    const refused = { code, disposition: "retry", dependency: "webhook", dependency_answered: true };
    expect(answer(status)).toMatchObject(refused);
    expect(answer(status, { "retry-after": "60" })).toMatchObject(refused);
  });

  it.each([
    [408, "WEBHOOK_UNAVAILABLE", "retry"],
    [425, "WEBHOOK_UNAVAILABLE", "retry"],
    [429, "WEBHOOK_THROTTLED", "throttle"],
    [500, "WEBHOOK_UNAVAILABLE", "retry"],
    [503, "WEBHOOK_UNAVAILABLE", "retry"],
    [999, "WEBHOOK_UNAVAILABLE", "retry"],
  ])("%i means %s: it may take it later", (status, code, disposition) => {
    const later = { code, disposition, dependency: "webhook", dependency_answered: false };
    expect(answer(status)).toMatchObject(later);
  });

  it("may ask for a wait of up to an hour", () => {
    const waits = [
      [429, "120", 120_000],
      [503, "120", 120_000],
      [408, "120", 120_000],
      [425, "120", 120_000],
      [429, "Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
      [429, "999999", 3_600_000],
      [429, "soon", undefined],
    ] as const;
    for (const [status, header, retry_after_ms] of waits) {
      const refusal = answer(status, { "retry-after": header });
      expect([refusal?.code, refusal?.retry_after_ms]).toEqual(["WEBHOOK_THROTTLED", retry_after_ms]);
    }
  });
});

describe("no answer", () => {
  it("means that it may come next time, and says why", () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    expect(unreachable(refused, live, 10)).toMatchObject({
      code: "WEBHOOK_UNREACHABLE",
      message: expect.stringContaining("ECONNREFUSED"),
      cause: refused,
    });
    const late = Object.assign(new Error("m"), { name: "TimeoutError" });
    expect(unreachable(late, live, 10)).toMatchObject({ code: "WEBHOOK_LATE" });
  });

  it("is the caller's own doing when it was told to stop, and final when the address is forbidden", () => {
    const stopped = new Error("lease lost");
    expect(unreachable(stopped, AbortSignal.abort(stopped), 10)).toBe(stopped);
    const forbidden = new AddressForbidden("receiver.example");
    expect(unreachable(forbidden, live, 10)).toBe(forbidden);
  });
});
