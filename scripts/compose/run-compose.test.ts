import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { composeComplaint } from "./run-compose.ts";

/** A path with a `docker` of that text only, or with nothing. */
function pathWith(docker: string | undefined) {
  const directory = temporaryDirectory("docker");
  mkdirSync(directory, { recursive: true });
  if (docker !== undefined)
    writeFileSync(join(directory, "docker"), `#!/bin/sh\n${docker}\n`, { mode: 0o755 });
  return { PATH: directory };
}

describe("composeComplaint", () => {
  it("has none where docker, its plugin and its engine answer", async () => {
    expect(await composeComplaint(pathWith("exit 0"))).toBeUndefined();
  });

  it.each([
    ["no docker", undefined, "docker is missing"],
    ["no compose plugin", '[ "$1" != compose ]', "no compose plugin"],
    ["no engine", '[ "$1" != info ]', "engine does not answer"],
  ])("says what to do where there is %s", async (_case, docker, expected) => {
    const complaint = await composeComplaint(pathWith(docker));
    expect(complaint).toContain(expected);
    expect(complaint).toContain("npm run stack:host");
  });
});
