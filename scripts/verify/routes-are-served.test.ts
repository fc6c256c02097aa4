import { describe, expect, it } from "vitest";
import { memoryTree } from "../tree/memory-tree.ts";
import { serverless } from "./fixture.ts";
import { routesAreServed } from "./routes-are-served.ts";

const http = serverless(
  "    events:\n",
  "    events:\n      - httpApi: GET /api/tasks\n      - httpApi: POST /api/tasks\n",
);
const check = (handler: object) => {
  const module = /handler: (\S+)\.\w+/.exec(http)?.[1];
  return routesAreServed.check(memoryTree({ "serverless.yml": http }, { [`${module}.ts`]: { handler } }));
};
const route = { summary: "x" };

describe("routes-are-served", () => {
  it("accepts a handler with the same routes", async () => {
    expect(await check({ routes: { "GET /api/tasks": route, "POST /api/tasks": route } })).toEqual([]);
  });

  it("names what only serverless.yml has, and what only the handler has", async () => {
    expect(await check({ routes: { "GET /api/tasks": route, "PUT /api/tasks": route } })).toEqual([
      expect.stringContaining("takes POST /api/tasks, and"),
      expect.stringContaining("PUT /api/tasks never arrives"),
    ]);
    expect(await check({})).toHaveLength(2);
  });
});
