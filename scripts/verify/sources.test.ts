import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "#lib/platform/errors/codes.ts";
import { memoryTree } from "../tree/memory-tree.ts";
import { childProcessesAreClosed } from "./child-processes-are-closed.ts";
import { errorCodesAreUsed } from "./error-codes-are-used.ts";
import { filesStaySmall } from "./files-stay-small.ts";

const lines = (count: number) => "x\n".repeat(count);

describe("files-stay-small", () => {
  it("accepts handlers, sources and tests up to their limits", () => {
    const tree = memoryTree({
      "functions/a/handler.ts": lines(40),
      "lib/a/b.ts": lines(400),
      "lib/a/b.test.ts": lines(400),
      "functions/a/fixtures/long.ts": lines(900),
      "docs/long.md": lines(900),
    });
    expect(filesStaySmall.check(tree)).toEqual([]);
  });

  it("rejects one line more, with advice", () => {
    const tree = memoryTree({
      "functions/a/handler.ts": lines(41),
      "lib/a/b.test.ts": lines(401),
      "lib/a/b.ts": lines(401),
    });
    expect(filesStaySmall.check(tree)).toEqual([
      "functions/a/handler.ts has 41 lines, more than 40: move what it decides to a use case beside it.",
      "lib/a/b.test.ts has 401 lines, more than 400: split it by behaviour.",
      "lib/a/b.ts has 401 lines, more than 400: it holds more than one concept: split it by concept.",
    ]);
  });
});

describe("error-codes-are-used", () => {
  const codes = Object.keys(ERROR_CODES);
  const catalogue = { "lib/platform/errors/codes.ts": codes.map((code) => `"${code}"`).join() };

  it("accepts codes that some source names, and rejects one that only a test or the catalogue names", () => {
    const [left_over = "", ...used] = codes;
    const tree = memoryTree({
      ...catalogue,
      "lib/a/a.ts": used.map((code) => `throw new TerminalFault("${code}", "x");`).join(),
      "lib/a/a.test.ts": `"${left_over}"`,
    });
    expect(errorCodesAreUsed.check(tree)).toEqual([
      `${left_over} is used nowhere: take it out of lib/platform/errors/codes.ts.`,
    ]);
  });
});

describe("child-processes-are-closed", () => {
  it("accepts the one place, types, tests and scripts", () => {
    const tree = memoryTree({
      "lib/platform/processes/spawn-program.ts": 'import { spawn } from "node:child_process";',
      "lib/a/types.ts": 'import type { ChildProcess } from "node:child_process";',
      "lib/a/a.test.ts": 'import { spawn } from "node:child_process";',
      "scripts/a.ts": 'import { spawn } from "node:child_process";',
    });
    expect(childProcessesAreClosed.check(tree)).toEqual([]);
  });

  it.each([
    ["lib/a/a.ts", 'import { spawn } from "node:child_process";'],
    ["lib/a/a.ts", 'import {\n  fork,\n  type ChildProcess,\n} from "child_process";'],
    ["functions/a/a.ts", 'const { exec } = await import("node:child_process");'],
    ["cli/a.ts", "require('child_process').execFile();"],
    ["local/a.ts", 'process.getBuiltinModule("node:os");'],
    ["local/a.mjs", 'import cluster from "node:cluster";'],
    ["lib/a/a.ts", 'process.execve("/bin/sh");'],
  ])("rejects in %s: %s", (file, text) => {
    expect(childProcessesAreClosed.check(memoryTree({ [file]: text }))).toEqual([
      expect.stringContaining(`${file} starts processes by itself`),
    ]);
  });
});
