import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newReportFiles, reportFileVersions } from "#lib/code/test-results/report-files.ts";

describe("report files in a tree", () => {
  let tree: string;
  beforeEach(async () => {
    tree = await mkdtemp(join(tmpdir(), "report-files-test-"));
    await mkdir(join(tree, "target/surefire-reports"), { recursive: true });
  });
  afterEach(() => rm(tree, { recursive: true, force: true }));

  it("are those that were written since, not those that were there", async () => {
    await writeFile(join(tree, "junit.xml"), "old");
    await writeFile(join(tree, "results.xml"), "old");
    const before = await reportFileVersions(tree);
    await writeFile(join(tree, "results.xml"), "new");
    await writeFile(join(tree, "target/surefire-reports/TEST-a.xml"), "maven");
    expect(await newReportFiles(tree, before)).toEqual([
      { path: "results.xml", text: "new" },
      { path: "target/surefire-reports/TEST-a.xml", text: "maven" },
    ]);
  });

  it("are never read through a link, nor when they are too large or no files", async () => {
    const before = await reportFileVersions(tree);
    await symlink("/etc/passwd", join(tree, "junit.xml"));
    await symlink("/etc", join(tree, "reports"));
    await mkdir(join(tree, "test-results.xml"));
    await writeFile(join(tree, "report.xml"), Buffer.alloc(9 * 1024 * 1024));
    expect(await newReportFiles(tree, before)).toEqual([]);
  });

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
    const host = await mkdtemp(join(tmpdir(), "report-files-host-"));
    const file = join(host, report === "." ? "junit.xml" : report);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "of the host");
    await rm(join(tree, link), { recursive: true, force: true });
    await mkdir(join(tree, parent), { recursive: true });
    await symlink(report === "." ? file : host, join(tree, link));
    expect([...(await reportFileVersions(tree))]).toEqual([]);
    expect(await newReportFiles(tree, new Map())).toEqual([]);
    await rm(host, { recursive: true });
  });

  it("are found in the tree, however many files are behind a link out of it", async () => {
    const host = await mkdtemp(join(tmpdir(), "report-files-host-"));
    const names = Array.from({ length: 250 }, (_, index) => `TEST-${index}.xml`);
    await Promise.all(names.map((name) => writeFile(join(host, name), "of the host")));
    await rm(join(tree, "target/surefire-reports"), { recursive: true });
    await symlink(host, join(tree, "target/surefire-reports"));
    await mkdir(join(tree, "build/test-results/test"), { recursive: true });
    await writeFile(join(tree, "build/test-results/test/TEST-own.xml"), "own");
    expect(await newReportFiles(tree, new Map())).toEqual([
      { path: "build/test-results/test/TEST-own.xml", text: "own" },
    ]);
    await rm(host, { recursive: true });
  });

  it("are not looked for when the tree itself was exchanged with a link", async () => {
    const host = await mkdtemp(join(tmpdir(), "report-files-host-"));
    await writeFile(join(host, "junit.xml"), "of the host");
    const link = join(tree, "link");
    await symlink(host, link);
    expect([...(await reportFileVersions(link))]).toEqual([]);
    expect(await newReportFiles(link, new Map())).toEqual([]);
    await rm(host, { recursive: true });
  });
});
