import { readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failureFacts } from "#lib/platform/errors/failure.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { outwardText } from "#lib/platform/errors/outward-text.ts";

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("outwardText", () => {
  it.each([
    [`cannot read ${join(tmpdir(), "source-x1/a/b.ts")}: gone`, "cannot read <path>: gone"],
    [`'${process.cwd()}' is where the code is`, "'<path>' is where the code is"],
    [`at file://${process.cwd()}/lib/x.ts:1:2`, "at <path>:1:2"],
    [`${homedir()}/.npmrc`, "<path>"],
    ["EACCES: permission denied, open '/srv/worker/x'", "EACCES: permission denied, open"],
    ["EXDEV: cross-device link, rename '/a/b' -> '/c/d'", "EXDEV: cross-device link, rename"],
  ])("shows no path of this machine: %j", (given, shown) => {
    expect(outwardText(given)).toBe(shown);
  });

  it.each(["src/a.ts:3 has 2 errors", "GET /api/tasks", `${tmpdir()}orary`, "https://example.org/a/b"])(
    "leaves %j alone",
    (text) => {
      expect(outwardText(text)).toBe(text);
    },
  );

  it("is bounded, whatever is in it", () => {
    const long = outwardText(`${"😀".repeat(100_000)}`);
    expect(long.length).toBeLessThan(2100);
    expect(long.isWellFormed()).toBe(true);
    expect(long).toContain("200000 characters");
    expect(outwardText(`${tmpdir()}/${"x".repeat(300_000)}`)).toContain("<path>");
    expect(outwardText("a\ud800b")).toBe("a\ufffdb");
  });
});

describe("the facts of a failure", () => {
  it("are bounded and show no path, in the message and in every cause", () => {
    const missing = thrownBy(() => readFileSync(join(tmpdir(), "agents-none", "x")));
    const fault = new RejectedInput("TEXT_NOT_UNICODE", `${missing.message} ${"y".repeat(300_000)}`, {
      cause: new Error(`in ${process.cwd()}/lib ${"z".repeat(300_000)}`, { cause: missing }),
    });
    const text = JSON.stringify(failureFacts(fault));
    expect(text.length).toBeLessThan(5000);
    expect(text).not.toContain(tmpdir());
    expect(text).not.toContain(process.cwd());
    expect(text).toContain("ENOENT");
  });
});
