import { describe, expect, it } from "vitest";
import { canPin, requirePinning } from "#lib/code/source/run-git.ts";
import { fakeSourcePorts } from "#test/fakes/source-ports.ts";

describe("git", () => {
  it.each([
    ["git version 2.37.0", true],
    ["git version 2.39.5 (Apple Git-154)", true],
    ["git version 3.0.1", true],
    ["git version 2.36.9", false],
    ["git version 1.99.0", false],
    ["something else", false],
    ["", false],
  ])("%j can be held to an address: %s", (version, can) => expect(canPin(version)).toBe(can));

  it("that cannot is not used for a host with a name", async () => {
    const old = { ...fakeSourcePorts(), git_program: "/bin/echo" };
    await expect(requirePinning(old)).rejects.toMatchObject({
      code: "GIT_UNAVAILABLE",
      disposition: "terminal",
    });
  });
});
