import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { missingTools } from "./missing-tools.ts";
import type { Tool } from "./part.ts";

/** A program that prints `text`, as a version, to standard error as Java does. */
function tool(text: string, version_minimum: Tool["version_minimum"]): Tool {
  const command = join(temporaryDirectory("tool"), "tool");
  writeFileSync(command, `#!/bin/sh\necho '${text}' >&2\n`, { mode: 0o755 });
  return { command, version_arguments: [], version_minimum, install_hint: "apt-get install it" };
}

describe("missingTools", () => {
  it("has nothing to say of tools that are there and new enough", async () => {
    expect(
      await missingTools([
        tool('openjdk version "17.0.15" 2025-04-15', [17, 0]),
        tool("Python 3.11.7", [3, 10]),
        tool("Maven 4", [3, 8]),
      ]),
    ).toEqual([]);
  });

  it("names a tool that is absent once, and how to get it", async () => {
    const absent = { ...tool("", [17, 0]), command: "no-such-tool-anywhere" };
    expect(await missingTools([absent, absent])).toEqual([
      "no-such-tool-anywhere is missing: install 17.0 or later (apt-get install it).",
    ]);
  });

  it("names a tool that is too old, with what it is", async () => {
    const [line, ...others] = await missingTools([tool("Python 3.9.2", [3, 10])]);
    expect(line).toMatch(/tool is 3\.9: install 3\.10 or later \(apt-get install it\)\.$/);
    expect(others).toEqual([]);
  });

  it("names a tool that does not run", async () => {
    const broken = tool("", [1, 0]);
    writeFileSync(broken.command, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
    expect(await missingTools([broken])).toEqual([expect.stringContaining("does not run")]);
  });
});
