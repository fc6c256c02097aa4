import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
});
