import { describe, expect, it } from "vitest";
import { chosenTargets } from "./chosen-targets.ts";

describe("chosenTargets", () => {
  it("are those that need Node only, those that are named, or all that can be fetched", () => {
    expect(chosenTargets(undefined)).toEqual(["embedded", "simulation"]);
    expect(chosenTargets("dynamodb-local,embedded")).toEqual(["dynamodb-local", "embedded"]);
    expect(chosenTargets("all")).toEqual(["embedded", "simulation", "localstack", "moto"]);
  });

  it("refuse a name that is none, so that a slip of the pen tests nothing unnoticed", () => {
    expect(() => chosenTargets("localstak")).toThrow("--target: localstak is no target");
  });
});
