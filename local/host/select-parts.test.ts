import { describe, expect, it } from "vitest";
import type { HostPart } from "./part.ts";
import { selectParts } from "./select-parts.ts";

const parts = ["localstack", "neo4j"].map((name) => ({ name }) as HostPart);
const names = (only: string | undefined) => selectParts(parts, only).map(({ name }) => name);

describe("selectParts", () => {
  it("takes all without --only, else those named, in their own order", () => {
    expect(names(undefined)).toEqual(["localstack", "neo4j"]);
    expect(names("neo4j, localstack")).toEqual(["localstack", "neo4j"]);
    expect(names("neo4j")).toEqual(["neo4j"]);
  });

  it("refuses a name there is no part for, naming those there are", () => {
    expect(() => names("neo4j,redis")).toThrow(
      "--only takes localstack, neo4j, with commas between; not redis.",
    );
    expect(() => names(" ,")).toThrow("--only takes localstack, neo4j");
  });
});
