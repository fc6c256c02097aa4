import { existsSync } from "node:fs";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { diskAccounts } from "#lib/sandbox/limits/disk-accounts.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import { checkSourceFits, type Workspace, withWorkspace } from "#lib/sandbox/with-workspace.ts";
import { generousProfile } from "#test/fakes/sandbox-profile.ts";

it("is gone afterwards, whatever was done to it and however the work ended", async () => {
  let lent: Workspace | undefined;
  const work = withWorkspace({ profile: generousProfile(), backend: processBackend }, async (workspace) => {
    lent = workspace;
    const locked = join(workspace.tree, "locked");
    await mkdir(locked);
    await writeFile(join(locked, "file"), "");
    await symlink("/etc", join(locked, "link"));
    await chmod(locked, 0o000);
    throw new Error("no luck");
  });
  await expect(work).rejects.toThrow("no luck");
  expect(lent && existsSync(lent.tree)).toBe(false);
  expect(existsSync("/etc")).toBe(true);
});

it("refuses a source that alone is larger than its profile allows, before any command runs", async () => {
  const profile = { ...generousProfile(), disk_bytes_max: 100_000, inodes_max: 3 };
  const filled = (files: Record<string, number>) =>
    withWorkspace({ profile, backend: processBackend }, async (workspace) => {
      await mkdir(join(workspace.tree, "src"));
      for (const [path, bytes] of Object.entries(files))
        await writeFile(join(workspace.tree, path), "a".repeat(bytes));
      await checkSourceFits(workspace, profile);
      return "fits";
    });
  expect(await filled({ "src/a": 1000, b: 2000 })).toBe("fits");
  await expect(filled({ "src/a": 60_000, b: 60_000 })).rejects.toMatchObject({
    code: "SANDBOX_DISK",
    message: expect.stringContaining("the source alone is larger than the 100000 bytes"),
  });
  await expect(filled({ "src/a": 1, b: 1, c: 1 })).rejects.toMatchObject({ code: "SANDBOX_INODES" });
});

it.each([
  ["home", "~/big"],
  ["tmp", "$TMPDIR/big"],
])("names a file that is too large in %s as the command knows it", async (directory, name) => {
  const profile = { ...generousProfile(), file_bytes_max: 1000 };
  const hit = await withWorkspace({ profile, backend: processBackend }, async ({ volume, scratch }) => {
    const accounts = diskAccounts(profile, volume);
    return vi.waitUntil(async () => {
      // The time of a file lags behind the clock, and only what changed since the start is measured.
      await writeFile(join(scratch, directory, "big"), "a".repeat(2000));
      return accounts.survey();
    });
  });
  expect(hit.evidence).toContain(`of ${name}`);
});
