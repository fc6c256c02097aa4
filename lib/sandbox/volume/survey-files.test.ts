import { spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { surveyFiles } from "#lib/sandbox/volume/survey-files.ts";
import { needing } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { isHere } from "#test/tools.ts";

const root = temporaryDirectory("survey");
const tree = join(root, "tree");
const outside = join(root, "outside");
mkdirSync(join(tree, "inner", "deep"), { recursive: true });
mkdirSync(outside);
writeFileSync(join(outside, "name-of-a-host-file"), Buffer.alloc(50_000));
writeFileSync(join(tree, "inner", "deep", "small"), Buffer.alloc(5000));
symlinkSync(outside, join(tree, "link"));

const survey = (entries_max = 100) => surveyFiles([tree], { changed_after_ms: 0, entries_max });

it("counts files, directories and links, and follows no link", async () => {
  expect(await survey()).toMatchObject({
    inodes: 4,
    largest: { path: join(tree, "inner/deep/small"), bytes: 5000 },
  });
});

it("counts a file with several names once, and gives up where told", async () => {
  linkSync(join(tree, "inner/deep/small"), join(tree, "again"));
  expect((await survey()).inodes).toBe(4);
  rmSync(join(tree, "again"));
  expect((await survey(1)).inodes).toBe(1);
});

const x64_perl = (await isHere("an x64 machine")) ? "perl" : "an x64 machine";

(await needing(x64_perl)).it("goes nowhere while a directory and a link are exchanged under it", async () => {
  // renameat2(2) with RENAME_EXCHANGE: one moment a directory, the next a link to outside.
  const exchange = `$| = 1; my ($inner, $link) = ("${tree}/inner", "${tree}/link");
    while (1) { print "exchanged\n" if syscall(316, -100, $inner, -100, $link, 2) == 0 && ++$done == 1000 }`;
  const exchanging = spawn("perl", ["-e", exchange], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(exchanging.stdout, "data");
    for (let round = 0; round < 3000; round++) {
      expect((await survey()).largest?.bytes ?? 5000).toBe(5000);
    }
  } finally {
    exchanging.kill("SIGKILL");
    await once(exchanging, "exit");
  }
});
