import { describe, expect, it } from "vitest";
import { memoryTree } from "../tree/memory-tree.ts";
import { decisionsAreLinked } from "./decisions-are-linked.ts";
import { invariantsNameChecks } from "./invariants-name-checks.ts";
import { linksResolve } from "./links-resolve.ts";
import { npmScriptsExist } from "./npm-scripts-exist.ts";
import { pagesNameFiles } from "./pages-name-files.ts";
import { threatsNameTests } from "./threats-name-tests.ts";

describe("decisions-are-linked", () => {
  it("accepts a numbered record that ARCHITECTURE.md links", () => {
    const tree = memoryTree({
      "docs/decisions/0001-a.md": "",
      "ARCHITECTURE.md": "[a](docs/decisions/0001-a.md)",
    });
    expect(decisionsAreLinked.check(tree)).toEqual([]);
  });

  it("rejects a record without a number, with another's number, or without a link", () => {
    const tree = memoryTree({
      "docs/decisions/0001-a.md": "",
      "docs/decisions/0001-b.md": "",
      "docs/decisions/c.md": "",
      "ARCHITECTURE.md": "docs/decisions/0001-a.md",
    });
    expect(decisionsAreLinked.check(tree)).toEqual([
      "docs/decisions/0001-b.md has the number of 0001-a.md: take the next free one.",
      "docs/decisions/0001-b.md: link it from ARCHITECTURE.md.",
      "docs/decisions/c.md: name it <four digits>-<words>.md.",
    ]);
  });
});

describe("threats-name-tests", () => {
  const check = (row: string) =>
    threatsNameTests.check(
      memoryTree({
        "docs/threat-model.md": `## Boundaries\n\n| Threat | Held by | Shown by |\n|---|---|---|\n${row}\n\n## Not held\n`,
        "a.test.ts": "",
      }),
    );

  it("accepts a row whose tests exist", () => {
    expect(check("| a | b | `a.test.ts` |")).toEqual([]);
  });

  it("rejects a row that names no test or one that is gone, and a page without rows", () => {
    expect(check("| a | `b` | |")).toEqual(['docs/threat-model.md: "a" names no test.']);
    expect(check("| a | b | `a.test.ts`, `gone.test.ts` |")).toEqual([
      'docs/threat-model.md: "a" names gone.test.ts, which does not exist.',
    ]);
    expect(check("")).toHaveLength(1);
  });
});

describe("pages-name-files", () => {
  const check = (page: string) =>
    pagesNameFiles.check(memoryTree({ "lib/a/b.ts": "", "CONTRIBUTING.md": page }));

  it("accepts files and folders that exist, placeholders, and what is no path", () => {
    expect(check("`lib/a/b.ts`, `lib/a/`, `lib/a`, `lib/<room>/`, `GET /api/x`, `a/b`, `npm run x`")).toEqual(
      [],
    );
  });

  it("rejects what does not", () => {
    expect(check("`lib/a/c.ts` and `gone/`")).toEqual([
      "CONTRIBUTING.md names lib/a/c.ts, which does not exist.",
      "CONTRIBUTING.md names gone/, which does not exist.",
    ]);
  });
});

describe("npm-scripts-exist", () => {
  const packageJson = JSON.stringify({ scripts: { test: "x", "gate:local": "x" } });
  const check = (page: string) =>
    npmScriptsExist.check(memoryTree({ "package.json": packageJson, "README.md": page }));

  it("accepts scripts that exist, run silently or not", () => {
    expect(check("`npm test`, `npm run -s gate:local`, `npm run test`, `npm ci`")).toEqual([]);
  });

  it("rejects scripts that do not, once each", () => {
    expect(check("npm start, npm run gate:remote and npm run gate:remote")).toEqual([
      "README.md names the npm script start, which package.json lacks: add it or correct the page.",
      "README.md names the npm script gate:remote, which package.json lacks: add it or correct the page.",
    ]);
  });
});

describe("invariants-name-checks", () => {
  const check = (...items: string[]) =>
    invariantsNameChecks(["files-stay-small"]).check(
      memoryTree({
        "ARCHITECTURE.md": [
          "# Map",
          "1. no invariant",
          "## Invariants",
          ...items,
          "## After",
          "9. none",
        ].join("\n"),
        "lib/a/a.test.ts": "",
        "scripts/check.ts": 'const command = "node scripts/generate-schemas.ts --check";',
        "biome.json": '{ "noProcessEnv": "error" }',
      }),
    );

  it("accepts items that name a test, a rule, a Biome rule or a script of the check", () => {
    const items = [
      "1. One\n   line (`lib/a/a.test.ts`).",
      "2. Two: `files-stay-small`.",
      "3. Three: `noProcessEnv`.",
      "4. Four: `scripts/generate-schemas.ts`.",
    ];
    expect(check(...items)).toEqual([]);
  });

  it("rejects items whose test is gone or that name nothing", () => {
    expect(check("1. One (`lib/b/b.test.ts`).", "2. Two: `scripts/build.ts`.")).toEqual([
      "ARCHITECTURE.md: invariant 1 names lib/b/b.test.ts, which does not exist.",
      "ARCHITECTURE.md: invariant 2 names no check: add `path/to/x.test.ts` or a rule's name.",
    ]);
  });

  it("rejects a page without numbered invariants", () => {
    expect(check()).toEqual([expect.stringContaining('number the invariants below a heading "Invariants"')]);
  });
});

describe("links-resolve", () => {
  const check = (page: string) =>
    linksResolve.check(
      memoryTree({ "docs/page.md": page, "lib/a/a.ts": "", "README.md": "# Two words, `code`!" }),
    );

  it("accepts files, folders, headings and addresses elsewhere", () => {
    const page =
      "## Here\n[a](../lib/a/a.ts) [b](../lib/a/) [c](../README.md#two-words-code) [d](#here) [e](https://x.org/y)";
    expect(check(page)).toEqual([]);
  });

  it("passes over code", () => {
    expect(check("`[a](b)`\n\n```md\n[a](b)\n```\n")).toEqual([]);
  });

  it("rejects files and headings that do not exist", () => {
    expect(check("[a](a.ts) ![b](../README.md#three)")).toEqual([
      "docs/page.md: the link to a.ts leads nowhere: correct it.",
      "docs/page.md: the link to ../README.md#three leads nowhere: correct it.",
    ]);
  });
});
