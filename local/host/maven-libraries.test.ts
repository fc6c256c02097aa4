import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { digestOf } from "./maven-libraries.ts";

async function directory(files: Record<string, string>): Promise<string> {
  const path = temporaryDirectory("libraries");
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

describe("digestOf", () => {
  it("is the same for the same files, whenever they were written", async () => {
    const one = await directory({ "a.jar": "a", "B.jar": "b" });
    const other = await directory({ "B.jar": "b", "a.jar": "a" });
    expect(await digestOf(one)).toBe(await digestOf(other));
  });

  it("is another one when a library is changed, absent, renamed or added", async () => {
    const whole = await digestOf(await directory({ "a-1.jar": "a", "b-1.jar": "b" }));
    const others: Record<string, string>[] = [
      { "a-1.jar": "a", "b-1.jar": "B" },
      { "a-1.jar": "a" },
      { "a-1.jar": "a", "b-2.jar": "b" },
      { "a-1.jar": "a", "b-1.jar": "b", "c-1.jar": "" },
    ];
    for (const other of others) expect(await digestOf(await directory(other))).not.toBe(whole);
  });
});
