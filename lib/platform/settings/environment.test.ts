import { expect, it } from "vitest";
import { hasEdge } from "./environment.ts";

it("believes an edge on deployed stages only", () => {
  expect(["local", "localstack"].map(hasEdge)).toEqual([false, false]);
  expect(["production", "staging", ""].map(hasEdge)).toEqual([true, true, true]);
});
