import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { retryPolicy } from "#test/fakes/retry-policy.ts";
import { memoryTree } from "../tree/memory-tree.ts";
import { lastTriesKnowCircuits } from "./last-tries-know-circuits.ts";

const shipped = JSON.parse(readFileSync("configs/circuit_breaker.json", "utf8"));
const circuits = JSON.stringify({ ...shipped, circuits: { "codegen.worker.model": { window_seconds: 60 } } });

function findings(policy: object) {
  const files = {
    "configs/retry_policy.json": JSON.stringify(policy),
    "configs/circuit_breaker.json": circuits,
  };
  return lastTriesKnowCircuits.check(memoryTree(files));
}

describe("last-tries-know-circuits", () => {
  it("accepts last tries that come after every circuit's window", () => {
    expect(findings(retryPolicy({ last_try_seconds_min: 60 }))).toEqual([]);
  });

  it("rejects sooner ones, in an override too, and names the circuit", () => {
    expect(findings(retryPolicy({ last_try_seconds_min: 30 }))).toEqual([
      expect.stringContaining("of defaults (30 s) is below window_seconds of codegen.worker.model"),
    ]);
    const override = { match: { dependency: "model" }, last_try_seconds_min: 5 };
    expect(findings(retryPolicy({}, [override]))).toEqual([
      expect.stringContaining("overrides[0] (5 s) is below window_seconds of codegen.worker.model"),
      expect.stringContaining("overrides[0] (5 s) is below window_seconds of defaults"),
    ]);
  });
});
