import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { freePort } from "./own-stack.ts";

describe("freePort", () => {
  it("keeps the wished port when it is free, and finds another when it is taken", async () => {
    const wished = await freePort(0);
    expect(await freePort(wished)).toBe(wished);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(wished, "127.0.0.1", resolve));
    const other = await freePort(wished);
    expect(other).not.toBe(wished);
    expect(other).toBeGreaterThan(0);
    await new Promise((resolve) => server.close(resolve));
  });
});
