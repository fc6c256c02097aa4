import { execFileSync } from "node:child_process";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newReportFiles, reportFileVersions } from "#lib/code/test-results/report-files.ts";
import { globMatcher } from "#lib/code/tree/glob-matcher.ts";
import { ReportGlob } from "#schemas/messages/report-globs.ts";
import { temporaryDirectory } from "#test/temporary.ts";

describe("report files in a tree", () => {
  let tree: string;
  beforeEach(async () => {
    tree = temporaryDirectory("report-files-test");
  });
  afterEach(() => rm(tree, { recursive: true, force: true }));
  const write = async (path: string, text: string | Buffer) => {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  };
  const found = async (globs?: string[]) =>
    (await newReportFiles(tree, new Map(), globs)).files.map(({ path }) => path);

  it("are those that were written or changed since, not those that were there", async () => {
    await write("junit.xml", "old");
    await write("results.xml", "old");
    await write("mod/target/surefire-reports/TEST-old.xml", "old");
    const before = await reportFileVersions(tree);
    await write("results.xml", "new");
    await write("mod/target/surefire-reports/TEST-a.xml", "maven");
    expect(await newReportFiles(tree, before)).toEqual({
      files: [
        { path: "mod/target/surefire-reports/TEST-a.xml", text: "maven" },
        { path: "results.xml", text: "new" },
      ],
      problems: [],
    });
  });

  it.each([
    "mod-a/target/surefire-reports/TEST-x.xml",
    "a/b/c/target/failsafe-reports/it.xml",
    "build/test-results/test/TEST-x.xml",
    "app/build/test-results/integrationTest/deep/x.xml",
    "reports/TEST-x.xml",
    "packages/a/junit.xml",
    "test-results.json",
    "test-results/e2e/out.xml",
  ])("are found by themselves: %s", async (path) => {
    await write(path, "x");
    expect(await found()).toEqual([path]);
  });

  it("are found by the names they are given, also where nobody looks by itself", async () => {
    await write("out/my-report.xml", "x");
    await write("node_modules/a/junit.xml", "x");
    await write("src/main.xml", "x");
    expect(await found()).toEqual([]);
    expect(await found(["out/*-report.xml", "node_modules/*/junit.xml"])).toEqual([
      "node_modules/a/junit.xml",
      "out/my-report.xml",
    ]);
  });

  it("are stale before and not after, by the names they are given", async () => {
    await write("my-report.xml", "old");
    const before = await reportFileVersions(tree, ["my-report.xml"]);
    expect(await newReportFiles(tree, before, ["my-report.xml"])).toEqual({ files: [], problems: [] });
  });

  it("are never read through a link, nor when they are no files", async () => {
    await symlink("/etc/passwd", join(tree, "junit.xml"));
    await symlink("/etc", join(tree, "reports"));
    await mkdir(join(tree, "target"));
    await symlink("/etc", join(tree, "target/surefire-reports"));
    await mkdir(join(tree, "test-results.xml"));
    expect(await found(["**/*.conf", "reports/passwd", "../*"])).toEqual([]);
  });

  it("are problems when a link or a pipe stands in their place, unless it did before", async () => {
    await symlink("/etc/passwd", join(tree, "results.xml"));
    const before = await reportFileVersions(tree);
    await write("out/run-17.xml", "x");
    await symlink("out/run-17.xml", join(tree, "junit.xml"));
    execFileSync("mkfifo", [join(tree, "report.xml")]);
    await symlink("run-17.xml", join(tree, "out/latest"));
    const { problems } = await newReportFiles(tree, before, ["out/latest*"]);
    expect(problems).toEqual(
      ["junit.xml", "report.xml"].map(
        (path) => `the report file ${path} cannot be read: it is a link, or something else than a file`,
      ),
    );
  });

  it("are read up to the limit, so that a report too large is one that is cut off", async () => {
    await write("report.xml", Buffer.alloc(9 * 1024 * 1024, "x"));
    const { files } = await newReportFiles(tree, new Map());
    expect(files[0]?.text.length).toBe(8 * 1024 * 1024);
  });

  it("are left out, and said so, when they are too large together", async () => {
    for (let file = 0; file < 6; file++) await write(`${file}/junit.xml`, Buffer.alloc(8 * 1024 * 1024, "x"));
    const { files, problems } = await newReportFiles(tree, new Map());
    expect(files).toHaveLength(4);
    expect(problems.join()).toMatch(/^2 report files were not read/);
  });

  it.skipIf(process.getuid?.() === 0)("are problems when their mode does not permit reading", async () => {
    await write("junit.xml", "x");
    await chmod(join(tree, "junit.xml"), 0);
    expect(await newReportFiles(tree, new Map())).toEqual({
      files: [],
      problems: ["the report file junit.xml cannot be read: its mode does not permit it"],
    });
  });

  it("are read in UTF-16 with its mark, and without the mark of UTF-8", async () => {
    await write("junit.xml", Buffer.from("\ufeff<a/>", "utf16le"));
    await write("report.xml", "\ufeff<b/>");
    const { files } = await newReportFiles(tree, new Map());
    expect(files.map(({ text }) => text)).toEqual(["<a/>", "<b/>"]);
  });

  it.each([
    ["ISO-8859-1", Buffer.from("\xe9", "latin1"), "é"],
    ["windows-1252", Buffer.from([0x80]), "€"],
    ["UTF-8", Buffer.from("é"), "é"],
    ["no-such-encoding", Buffer.from("é"), "é"],
  ])("are read in the encoding that their declaration names: %s", async (name, bytes, text) => {
    const declaration = `<?xml version="1.0" encoding="${name}"?>`;
    await write("junit.xml", Buffer.concat([Buffer.from(declaration), bytes]));
    expect((await newReportFiles(tree, new Map())).files[0]?.text).toBe(`${declaration}${text}`);
  });
});

describe("a pattern of report files", () => {
  it.each([
    ["**/a.xml", "a.xml", true],
    ["**/a.xml", "x/y/a.xml", true],
    ["x/**/a.xml", "x/a.xml", true],
    ["x/**/a.xml", "y/a.xml", false],
    ["*.xml", "a.xml", true],
    ["*.xml", "x/a.xml", false],
    ["a?.xml", "ab.xml", true],
    ["a?.xml", "a.xml", false],
    ["out/*-junit.xml", "out/mod-junit.xml", true],
    ["x/**", "x/y/z", true],
    ["./x/a.xml", "x/a.xml", true],
    ["**/build/**/t/*.xml", "a/build/b/t/build/t/c.xml", true],
    ["a.xml", "aXxml", false],
  ])("%s and %s: %s", (pattern, path, matches) => expect(globMatcher(pattern)(path)).toBe(matches));

  it("takes time in proportion, however it is made", () => {
    const before = process.cpuUsage();
    expect(globMatcher(`${"*a".repeat(120)}b`)("a".repeat(255))).toBe(false);
    expect(globMatcher(`${"**/a/".repeat(50)}b`)("a/".repeat(2000))).toBe(false);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(10_000);
  });

  it("stays below the tree and has no other wildcards", () => {
    for (const good of ["a.xml", "**/*.xml", "out/a b-?.xml", "a..b/c", "./a.xml"])
      expect(ReportGlob.safeParse(good).success).toBe(true);
    for (const bad of [
      "",
      "/etc/*",
      "../a",
      "a/../b",
      "a/..",
      "..",
      "{a,b}",
      "[ab]",
      "!(a)",
      "a\\b",
      "a\0",
      "+(a|b)",
    ]) {
      expect(ReportGlob.safeParse(bad).success).toBe(false);
    }
  });
});

describe("report files behind a link", () => {
  let tree: string;
  beforeEach(async () => {
    tree = temporaryDirectory("report-files-test");
    await mkdir(join(tree, "target/surefire-reports"), { recursive: true });
  });
  afterEach(() => rm(tree, { recursive: true, force: true }));

  it.each([
    ["target", "", "surefire-reports/TEST-host.xml"],
    ["target/surefire-reports", "", "TEST-host.xml"],
    ["build", "", "test-results/test/TEST-host.xml"],
    ["build/test-results", "build", "test/TEST-host.xml"],
    ["build/test-results/test", "build/test-results", "TEST-host.xml"],
    ["reports", "", "junit.xml"],
    ["test-results", "", "junit.xml"],
    ["junit.xml", "", "."],
  ])("are not looked for behind a link out of the tree: %s", async (link, parent, report) => {
    const host = temporaryDirectory("report-files-host");
    const file = join(host, report === "." ? "junit.xml" : report);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "of the host");
    await rm(join(tree, link), { recursive: true, force: true });
    await mkdir(join(tree, parent), { recursive: true });
    await symlink(report === "." ? file : host, join(tree, link));
    const before = await reportFileVersions(tree);
    expect([...before.values()].filter((version) => version !== "no file")).toEqual([]);
    expect(await newReportFiles(tree, before)).toEqual({ files: [], problems: [] });
  });

  it("are found in the tree, however many files are behind a link out of it", async () => {
    const host = temporaryDirectory("report-files-host");
    const names = Array.from({ length: 250 }, (_, index) => `TEST-${index}.xml`);
    await Promise.all(names.map((name) => writeFile(join(host, name), "of the host")));
    await rm(join(tree, "target/surefire-reports"), { recursive: true });
    await symlink(host, join(tree, "target/surefire-reports"));
    await mkdir(join(tree, "build/test-results/test"), { recursive: true });
    await writeFile(join(tree, "build/test-results/test/TEST-own.xml"), "own");
    expect((await newReportFiles(tree, new Map())).files).toEqual([
      { path: "build/test-results/test/TEST-own.xml", text: "own" },
    ]);
  });

  it("are not looked for when the tree itself was exchanged with a link", async () => {
    const host = temporaryDirectory("report-files-host");
    await writeFile(join(host, "junit.xml"), "of the host");
    const link = join(tree, "link");
    await symlink(host, link);
    expect([...(await reportFileVersions(link))]).toEqual([]);
    expect((await newReportFiles(link, new Map())).files).toEqual([]);
  });
});
