import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dispositionOf } from "#lib/platform/errors/disposition-of.ts";
import type { Fault } from "#lib/platform/errors/fault.ts";
import { circuitPolicyFor } from "#lib/resilience/circuit/guarded-call.ts";
import { decideRetry } from "#lib/resilience/retry/decide-retry.ts";
import { attemptsMaxOf, retryPolicyFor } from "#lib/resilience/retry/retry-policy-for.ts";
import { refusalOf } from "#lib/work/webhooks/judge-receiver.ts";
import { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";
import { RetryPolicyConfig } from "#schemas/config/retry-policy.ts";
import { circuitFleet, request } from "#test/fakes/circuit-fleet.ts";

const read = (name: string) => JSON.parse(readFileSync(`configs/${name}.json`, "utf8"));
const retries = RetryPolicyConfig.parse(read("retry_policy"));
const LABELS = { service: "webhooks", role: "worker", dependency: "webhook-1" };
const circuit = circuitPolicyFor(CircuitBreakerConfig.parse(read("circuit_breaker")), LABELS);
const DAYS_3_MS = 3 * 86_400_000;

/** What becomes of a delivery whose receiver always gives this answer, under the shipped policies. */
async function delivered(status: number) {
  const fleet = circuitFleet(1, circuit);
  const started = fleet.now;
  const deadline_ms = started + DAYS_3_MS;
  const lease = {
    attempt: 1,
    first_attempt_ms: started,
    parked_at: undefined as number | undefined,
    parked_ms: 0,
  };
  const attempts_max = attemptsMaxOf(retries, LABELS);
  let calls = 0;
  for (;;) {
    const call = request({ ...LABELS, work: "delivery 1", attempt: lease.attempt });
    const error = await fleet.guards[0]!.call(
      { ...call, last_try: lease.attempt >= attempts_max },
      async () => {
        calls += 1;
        throw refusalOf({ status, headers: new Headers() }, fleet.now);
      },
    ).catch((thrown: Fault) => thrown);
    const { code, dependency } = error as Fault;
    const policy = retryPolicyFor(retries, { ...LABELS, dependency, code });
    const failed = { disposition: dispositionOf(error, policy.dispositions), error, lease };
    const decision = decideRetry(failed, { now_ms: fleet.now, deadline_ms }, policy, fleet.random);
    const state = fleet.item("webhooks.worker.webhook-1.acme")?.state ?? "closed";
    if (decision.kind === "end" || decision.retry_at_ms >= deadline_ms - 1000) {
      return { calls, code, state, minutes: (fleet.now - started) / 60_000, ended: decision.kind === "end" };
    }
    const wait_ms = decision.retry_at_ms - fleet.now;
    if (decision.disposition === "park") {
      lease.parked_at ??= fleet.now;
      lease.parked_ms += wait_ms;
    } else {
      lease.attempt += 1;
      lease.parked_at = undefined;
    }
    await fleet.advance(wait_ms);
  }
}

describe("a delivery whose receiver always gives the same answer", () => {
  it.each([400, 401, 403, 404, 405, 409, 413, 422, 451, 499])(
    "is given up after four attempts in minutes, with its circuit closed: %i",
    async (status) => {
      const { minutes, ...end } = await delivered(status);
      expect(end).toEqual({ calls: 4, code: "WEBHOOK_REFUSED", state: "closed", ended: true });
      expect(minutes).toBeLessThanOrEqual(7);
    },
  );

  it.each([301, 302, 307, 308])("is given up as soon, for nobody follows a redirect: %i", async (status) => {
    const { minutes, ...end } = await delivered(status);
    expect(end).toEqual({ calls: 4, code: "WEBHOOK_REDIRECTS", state: "closed", ended: true });
    expect(minutes).toBeLessThanOrEqual(7);
  });

  it.each([408, 425, 429, 500, 502, 503, 504])(
    "is tried for hours when the answer may change by itself: %i",
    async (status) => {
      const { minutes } = await delivered(status);
      expect(minutes).toBeGreaterThan(60);
    },
  );
});
