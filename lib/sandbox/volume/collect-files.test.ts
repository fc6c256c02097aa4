import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { collectFiles } from "#lib/sandbox/volume/collect-files.ts";
import { temporaryDirectory } from "#test/temporary.ts";

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory("collect-files-test");
});

const write = (name: string, text: string) => writeFileSync(join(directory, name), text);

it("takes regular files, also of directories", async () => {
  write("a.txt", "one");
  mkdirSync(join(directory, "sub"));
  write("sub/b.txt", "two");
  const { files, left_out } = await collectFiles(directory);
  expect(files.map(({ name, bytes }) => [name, bytes.toString()])).toEqual([
    ["a.txt", "one"],
    ["sub-b.txt", "two"],
  ]);
  expect(left_out).toEqual([]);
});

it("takes no link, pipe or device, and says so", async () => {
  symlinkSync("/etc/passwd", join(directory, "link"));
  symlinkSync("/etc", join(directory, "directory-link"));
  execFileSync("mkfifo", [join(directory, "pipe")]);
  const { files, left_out } = await collectFiles(directory);
  expect(files).toEqual([]);
  expect(left_out).toEqual([
    { name: "directory-link", why: "it is a link" },
    { name: "link", why: "it is a link" },
    { name: "pipe", why: "it is no regular file" },
  ]);
});

it("follows no link on the way to the directory either", async () => {
  write("a.txt", "one");
  symlinkSync(directory, join(directory, "artifacts"));
  expect((await collectFiles(directory, ["artifacts"])).files).toEqual([]);
});

it("takes no more and no larger files than it promises", async () => {
  for (let index = 0; index < 51; index++) write(`file-${index}`, "x");
  write("aaa-large", "");
  truncateSync(join(directory, "aaa-large"), 16 * 1024 * 1024 + 1);
  const { files, left_out } = await collectFiles(directory);
  expect(files).toHaveLength(50);
  expect(left_out.map(({ why }) => why)).toEqual([
    "it is larger than 16777216 bytes",
    "there are more than 50 files",
  ]);
});

it("gives names that are safe anywhere, and different", async () => {
  for (const name of ["a b", "a\nb", "..hidden", "\u001b[31m", "-rf", "x".repeat(200), "\u202egpj"])
    write(name, "");
  const { files } = await collectFiles(directory);
  const names = files.map(({ name }) => name);
  expect(names.every((name) => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,102}$/.test(name))).toBe(true);
  expect(new Set(names).size).toBe(7);
});

it("takes nothing where there is nothing", async () => {
  expect(await collectFiles(join(directory, "none"))).toEqual({ files: [], left_out: [] });
});
