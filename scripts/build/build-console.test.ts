import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Block, parseRunbook } from "../../console/pages/alerts/parse-runbook.ts";
import { buildConsole, CONSOLE_FILES, CONSOLE_FOLDER } from "./build-console.ts";

/** What a browser fetches before it shows anything. */
const COMPRESSED_BYTES_MAX = 150_000;

const root = mkdtempSync(join(tmpdir(), "console-"));
const file = (name: string) => join(root, CONSOLE_FOLDER, name);

beforeAll(async () => {
  cpSync("console", join(root, "console"), { recursive: true });
  cpSync("docs/runbooks", join(root, "docs/runbooks"), { recursive: true });
  symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  expect(await buildConsole(root)).toBe(true);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("the built console", () => {
  it("weighs less than 150 kB compressed", () => {
    const bytes = CONSOLE_FILES.map((name) => gzipSync(readFileSync(file(name)), { level: 9 }).byteLength);
    expect(bytes.every((each) => each > 200)).toBe(true);
    expect(bytes.reduce((sum, each) => sum + each)).toBeLessThan(COMPRESSED_BYTES_MAX);
  });

  it("has no script, style or handler in the page itself", () => {
    const page = readFileSync(file("index.html"), "utf8");
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i);
  });

  it("names its files by their content", async () => {
    const version = () => /app\.js\?v=([0-9a-f]{16})/.exec(readFileSync(file("index.html"), "utf8"))?.[1];
    const before = version();
    expect(before).toBeDefined();
    writeFileSync(join(root, "console/texts/added.ts"), "export {};\n");
    await buildConsole(root);
    expect(version()).toBe(before);
    const texts = join(root, "console/texts/frame.ts");
    writeFileSync(texts, readFileSync(texts, "utf8").replace('"Sign in"', '"Log in"'));
    await buildConsole(root);
    expect(version()).not.toBe(before);
  });

  it("is left alone while its sources are the same", async () => {
    await buildConsole(root);
    const before = statSync(file("app.js")).mtimeMs;
    await buildConsole(root);
    expect(statSync(file("app.js")).mtimeMs).toBe(before);
  });

  it("is not there for a service without one", async () => {
    expect(await buildConsole(join(root, "node_modules"))).toBe(false);
  });

  it("holds the runbooks, and is built again when one changes", async () => {
    const script = () => readFileSync(file("app.js"), "utf8");
    expect(script()).toContain("More messages wait than are taken");
    writeFileSync(join(root, "docs/runbooks/backlog.md"), "# Another sentence\n");
    await buildConsole(root);
    expect(script()).toContain("Another sentence");
    expect(script()).not.toContain("More messages wait than are taken");
  });
});

function wordsOf(block: Block): string {
  const parts =
    block.kind === "steps"
      ? block.items.flat()
      : block.kind === "table"
        ? [block.head, ...block.rows].flat(2)
        : block.parts;
  return parts.map(({ text }) => text).join("");
}

describe("the runbooks", () => {
  it.each(readdirSync("docs/runbooks"))("are written in what the console can show: %s", (name) => {
    const blocks = parseRunbook(readFileSync(`docs/runbooks/${name}`, "utf8"));
    expect(blocks[0]?.kind).toBe("heading");
    expect(blocks.map(wordsOf).join("\n")).not.toMatch(/\*\*|`|\]\(|^\s*(\||[-*+#>] )/m);
  });
});
