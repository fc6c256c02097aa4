import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { circuitKey, circuitPolicyFor, labelsOfCircuit } from "#lib/resilience/circuit/guarded-call.ts";
import { CircuitBreakerConfig } from "#schemas/config/circuit-breaker.ts";

const shipped = JSON.parse(readFileSync("configs/circuit_breaker.json", "utf8"));
const withCircuits = (circuits: object) => ({ ...shipped, circuits });
const labels = { service: "codegen", role: "worker", dependency: "model" };

describe("the policy of a circuit", () => {
  it("is the defaults, changed by every pattern that matches, the most exact last", () => {
    const config = CircuitBreakerConfig.parse(
      withCircuits({
        "codegen.worker.model": { calls_min: 3 },
        "*.*.model": { calls_min: 2, ramp_seconds: 7 },
        "indexing.*.*": { ramp_seconds: 9 },
      }),
    );
    expect(circuitPolicyFor(config, labels)).toEqual({ ...shipped.defaults, calls_min: 3, ramp_seconds: 7 });
  });

  it("is refused when a pattern has no three parts, an option does not exist, or the first wait exceeds the last", () => {
    const refuses = (circuits: object) => !CircuitBreakerConfig.safeParse(withCircuits(circuits)).success;
    expect(refuses({ "codegen.worker.model": { open_seconds_base: 10 } })).toBe(false);
    expect(refuses({ codegen: {} })).toBe(true);
    expect(refuses({ "codegen.worker.model": { calls_minimum: 3 } })).toBe(true);
    expect(refuses({ "codegen.worker.model": { open_seconds_base: 1000 } })).toBe(true);
  });

  it("says who shares the circuit", () => {
    const call = { ...labels, tenant: "acme", shard: "3" };
    expect(circuitKey(call, { scope: "fleet" })).toBe("codegen.worker.model");
    expect(circuitKey(call, { scope: "tenant" })).toBe("codegen.worker.model.acme");
    expect(circuitKey(call, { scope: "shard" })).toBe("codegen.worker.model.3");
  });

  it("says which endpoint is behind the circuit, and the policy is that of the dependency", () => {
    const call = { ...labels, tenant: "acme", endpoint: "anthropic_api-anthropic-com" };
    const key = circuitKey(call, { scope: "tenant" });
    expect(key).toBe("codegen.worker.model@anthropic_api-anthropic-com.acme");
    expect(labelsOfCircuit(key)).toEqual(labels);
    expect(labelsOfCircuit("codegen.worker.model")).toEqual(labels);
  });
});
