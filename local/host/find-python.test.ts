import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { findPython } from "./find-python.ts";

/** A machine that has the named Pythons, each of a version; `broken` ones do not run. */
function machine(programs: Record<string, string>) {
  const home = temporaryDirectory("machine");
  for (const [path, version] of Object.entries(programs)) {
    mkdirSync(join(home, path, ".."), { recursive: true });
    const script = version === "broken" ? "exit 127" : `echo ${version}`;
    writeFileSync(join(home, path), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return { HOME: home, PATH: join(home, "bin") };
}

describe("findPython", () => {
  it("takes the first on the path that is new enough", async () => {
    const found = await findPython(12, machine({ "bin/python3": "3.11", "bin/python3.12": "3.12" }));
    expect(found).toEqual({ command: "python3.12", version: "3.12" });
    const older = await findPython(11, machine({ "bin/python3": "3.11", "bin/python3.12": "3.12" }));
    expect(older).toEqual({ command: "python3", version: "3.11" });
  });

  it("looks past a shim that does not run to what pyenv keeps", async () => {
    const environment = machine({
      "bin/python3": "3.11",
      "bin/python3.13": "broken",
      ".pyenv/versions/3.11.7/bin/python3": "3.11",
      ".pyenv/versions/3.13.0/bin/python3": "3.13",
    });
    const command = join(environment.HOME, ".pyenv/versions/3.13.0/bin/python3");
    expect(await findPython(12, environment)).toEqual({ command, version: "3.13" });
  });

  it("takes the one that is named, and no other", async () => {
    const environment = machine({ "bin/python3": "3.13", "mine/python": "3.11" });
    const HOST_PYTHON = join(environment.HOME, "mine/python");
    await expect(findPython(12, { ...environment, HOST_PYTHON })).rejects.toThrow(`${HOST_PYTHON} is 3.11`);
  });

  it("says what it found instead, and how to get one", async () => {
    await expect(findPython(12, machine({ "bin/python3": "3.11" }))).rejects.toThrow(
      /Python 3\.12 or later with venv is missing \(python3 is 3\.11\): install it .*HOST_PYTHON/,
    );
    await expect(findPython(12, machine({}))).rejects.toThrow("there is no python3");
  });
});
