import { existsSync } from "node:fs";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import { type Workspace, withWorkspace } from "#lib/sandbox/with-workspace.ts";
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
