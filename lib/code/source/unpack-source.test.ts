import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SourceLimits } from "#lib/code/source/source-ports.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { unpackSource } from "#lib/code/source/unpack-source.ts";
import { fakeSourcePorts } from "#test/fakes/source-ports.ts";
import { type RawEntry, rawArchive, rawEntry } from "#test/fakes/tar-archive.ts";

interface Unpacked {
  directory: string;
  paths: string[];
}

async function unpacking<Result>(
  archive: Buffer,
  look: (unpacked: Unpacked) => Promise<Result>,
  limits: Partial<SourceLimits> = {},
): Promise<Result> {
  const ports = fakeSourcePorts(limits);
  const reference = await ports.blobs.write(archive, "application/gzip");
  return withTemporaryDirectory("unpack-test", async (root) => {
    const directory = join(root, "tree");
    try {
      await unpackSource(reference, directory, ports);
    } finally {
      expect(await readdir(root), "nothing is written beside the tree").toEqual(
        (await readdir(root)).filter((name) => name === "tree"),
      );
    }
    return look({ directory, paths: (await readdir(directory, { recursive: true })).sort() });
  });
}

async function expectRefused(
  archive: Buffer,
  code: string,
  naming: string | RegExp = "",
  limits: Partial<SourceLimits> = {},
): Promise<void> {
  const ports = fakeSourcePorts(limits);
  const reference = await ports.blobs.write(archive, "application/gzip");
  await withTemporaryDirectory("unpack-test", async (root) => {
    const refused = unpackSource(reference, join(root, "tree"), ports);
    await expect(refused).rejects.toMatchObject({ disposition: "reject", code });
    await expect(refused).rejects.toThrow(naming);
    expect(
      await readdir(root, { recursive: true }).then((paths) => paths.filter((path) => path !== "tree")),
    ).toEqual([]);
  });
}

const file = (path: string, body = "x", mode = 0o644): RawEntry => ({ path, body, mode });
const link = (path: string, linkpath: string): RawEntry => ({ path, linkpath, type: "2" });
const hardLink = (path: string, linkpath: string): RawEntry => ({ path, linkpath, type: "1" });

describe("unpackSource", () => {
  it("unpacks files, directories, links inside the tree and hard links as copies", async () => {
    const archive = rawArchive(
      { path: "./", type: "5" },
      file("./src/run.sh", "echo hi\n", 0o755),
      { path: "empty/", type: "5" },
      link("src/again.sh", "run.sh"),
      link("up.sh", "src/../src/run.sh"),
      link("dangling", "not/there"),
      hardLink("copy.sh", "src/run.sh"),
    );
    await unpacking(archive, async ({ directory, paths }) => {
      expect(paths).toEqual(["copy.sh", "dangling", "empty", "src", "src/again.sh", "src/run.sh", "up.sh"]);
      expect(await readFile(join(directory, "up.sh"), "utf8")).toBe("echo hi\n");
      expect(await readlink(join(directory, "dangling"))).toBe("not/there");
      expect((await lstat(join(directory, "copy.sh"))).nlink).toBe(1);
    });
  });

  it("keeps of a mode only whether the file is executable", async () => {
    const archive = rawArchive(file("a", "", 0o6777), file("b", "", 0o1666), file("c", "", 0o000));
    await unpacking(archive, async ({ directory }) => {
      const modeOf = async (path: string) => (await lstat(join(directory, path))).mode & 0o7777;
      expect([await modeOf("a"), await modeOf("b"), await modeOf("c")]).toEqual([0o755, 0o644, 0o644]);
    });
  });

  it("leaves off `package/` of an npm tarball, and no other top directory", async () => {
    const npm = rawArchive(
      file("package/package.json", "{}"),
      file("package/package/x"),
      hardLink("package/y", "package/package/x"),
    );
    await unpacking(npm, async ({ paths }) =>
      expect(paths).toEqual(["package", "package.json", "package/x", "y"]),
    );
    const plain = rawArchive(file("project/package.json", "{}"));
    await unpacking(plain, async ({ paths }) => expect(paths).toEqual(["project", "project/package.json"]));
    const mixed = rawArchive(file("package/package.json", "{}"), file("README"));
    await unpacking(mixed, async ({ paths }) => expect(paths).toContain("package/package.json"));
  });

  it("checks links as they are after `package/` is left off", async () => {
    const archive = rawArchive(file("package/package.json", "{}"), link("package/out", "../x"));
    await expectRefused(archive, "ARCHIVE_UNSAFE_LINK", /"out"/);
  });

  it.each<[string, RawEntry[], RegExp]>([
    ["an absolute link", [link("l", "/etc/passwd")], /"l"/],
    ["a link upwards", [link("a/l", "../../x")], /"a\/l"/],
    ["a link that leaves by another link", [link("here", "."), link("l", "here/..")], /"l"/],
    [
      "a link that leaves by a link that comes later",
      [link("a", "b/../../.."), link("b", "c/d"), file("c/d/x")],
      /"a"/,
    ],
    ["a hard link to outside", [hardLink("h", "/etc/passwd")], /"h"/],
    ["a hard link upwards", [hardLink("h", "../x")], /"h"/],
    ["a hard link to a link", [link("l", "x"), hardLink("h", "l")], /"h"/],
    ["a hard link to nothing", [hardLink("h", "nothing")], /"h"/],
  ])("refuses %s", async (_, entries, naming) => {
    await expectRefused(rawArchive(file("ok"), ...entries), "ARCHIVE_UNSAFE_LINK", naming);
  });

  it("keeps a loop of links, which leads nowhere", async () => {
    const archive = rawArchive(file("ok"), link("a", "b"), link("b", "a"));
    await unpacking(archive, async ({ paths }) => expect(paths).toEqual(["a", "b", "ok"]));
  });

  it.each<[string, RawEntry[], RegExp]>([
    ["an absolute path", [file("/etc/passwd")], /absolute/],
    ["a path upwards", [file("../x")], /"\.\.\/x"/],
    ["a path that goes up in the middle", [file("a/../../x")], /leaves the tree/],
    ["a file below a link", [link("d", "ok"), file("d/x")], /lies below "d"/],
    ["a file below a link, link last", [file("d/x"), link("d", "ok")], /"d" is in the archive twice/],
    ["a file below a file", [file("f"), file("f/x")], /lies below "f"/],
    ["a path that comes twice", [file("f"), file("./f")], /twice/],
    ["a link over a file", [file("f"), link("f", "ok")], /twice/],
    ["a control character", [file("a\nb")], /control character/],
    ["a root that is a file", [file(".")], /root/],
  ])("refuses %s", async (_, entries, naming) => {
    await expectRefused(rawArchive(file("ok"), ...entries), "ARCHIVE_UNSAFE_PATH", naming);
  });

  it.each([["3"], ["4"], ["6"], ["S"], ["D"], ["Z"], ["V"]])("refuses an entry of type %s", async (type) => {
    await expectRefused(rawArchive(file("ok"), { path: "odd", type }), "ARCHIVE_UNSAFE_ENTRY", /"odd"/);
  });

  it("refuses what holds no file", async () => {
    await expectRefused(Buffer.alloc(0), "ARCHIVE_EMPTY");
    await expectRefused(rawArchive(), "ARCHIVE_EMPTY");
    await expectRefused(rawArchive({ path: "only/directories/", type: "5" }), "ARCHIVE_EMPTY");
  });

  it("refuses what is no whole tar.gz", async () => {
    const good = rawArchive(file("a", "some text".repeat(1000)), file("b"));
    const huge = rawEntry(file("a", "x".repeat(600)));
    await expectRefused(Buffer.from("not gzip at all"), "ARCHIVE_CORRUPT");
    await expectRefused(good.subarray(0, good.length - 20), "ARCHIVE_CORRUPT");
    await expectRefused(gzipSync(Buffer.from("no tar ".repeat(300))), "ARCHIVE_CORRUPT");
    await expectRefused(gzipSync(good), "ARCHIVE_CORRUPT", /gzip within gzip/);
    await expectRefused(gzipSync(huge.subarray(0, 700)), "ARCHIVE_CORRUPT");
    const bent = Buffer.from(good);
    bent[bent.length - 6] = (bent[bent.length - 6] ?? 0) ^ 0xff;
    await expectRefused(bent, "ARCHIVE_CORRUPT");
  });

  it("allows a tree of exactly the limits and refuses one past them", async () => {
    const limits = { tree_bytes_max: 10, tree_files_max: 3 };
    const two = rawArchive(file("d/a", "12345"), file("d/b", "12345"));
    await unpacking(two, async ({ paths }) => expect(paths).toHaveLength(3), limits);
    await expectRefused(
      rawArchive(file("a", "12345"), file("b", "123456")),
      "ARCHIVE_TOO_LARGE",
      /"b"/,
      limits,
    );
    await expectRefused(
      rawArchive(file("a", "12345678"), hardLink("b", "a")),
      "ARCHIVE_TOO_LARGE",
      /"b"/,
      limits,
    );
    await expectRefused(rawArchive(file("a/b/c/d", "")), "ARCHIVE_TOO_MANY_FILES", /"a\/b\/c\/d"/, limits);
  });

  it("stops a bomb at the limit, whatever its headers say", async () => {
    const zeros = gzipSync(Buffer.alloc(300 * 1024 * 1024));
    await expectRefused(zeros, "ARCHIVE_TOO_LARGE", "", { tree_bytes_max: 1000, tree_files_max: 10 });
    const claims = rawArchive({ path: "big", size: 8 ** 11 - 1, body: "" });
    await expectRefused(claims, "ARCHIVE_TOO_LARGE", /"big"/);
    const limits = { source_bytes_max: 100 };
    await expectRefused(
      rawArchive(file("a", String(Math.PI).repeat(400))),
      "ARCHIVE_TOO_LARGE",
      /at most 100/,
      limits,
    );
  });

  it("unpacks only into an empty directory", async () => {
    const ports = fakeSourcePorts();
    const reference = await ports.blobs.write(rawArchive(file("a")), "application/gzip");
    await withTemporaryDirectory("unpack-test", async (directory) => {
      await mkdir(join(directory, "full"));
      await writeFile(join(directory, "full", "kept"), "");
      await expect(unpackSource(reference, join(directory, "full"), ports)).rejects.toMatchObject({
        code: "UNPACK_DIRECTORY_NOT_EMPTY",
      });
    });
  });

  it("never writes outside and never fails but by a code, whatever the archive", async () => {
    const name = fc.constantFrom("a", "b", "..", ".", "", "c", "package", "package.json", "\u0000", "/");
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const entry = fc.record({
      path,
      linkpath: fc.oneof(fc.constant(""), path),
      type: fc.constantFrom("0", "0", "1", "2", "2", "5", "x", "L", "K", "g", "6"),
      mode: fc.nat(0o7777),
      body: fc.string({ maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), fc.option(fc.nat(600)), async (entries, cut) => {
        const whole = Buffer.concat([...entries.map(rawEntry), Buffer.alloc(1024)]);
        const archive = gzipSync(cut === null ? whole : whole.subarray(0, Math.max(0, whole.length - cut)));
        await unpacking(archive, async ({ directory, paths }) => {
          for (const found of paths) {
            const stats = await lstat(join(directory, found));
            expect(stats.mode & 0o7000).toBe(0);
          }
        }).catch((error: unknown) => {
          expect(error).toMatchObject({ disposition: "reject", code: expect.stringMatching(/^ARCHIVE_/) });
        });
      }),
      { numRuns: 400 },
    );
  });

  it("turns random bytes into a code", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), async (bytes, compressed) => {
        const archive = compressed ? gzipSync(bytes) : Buffer.from(bytes);
        await expectRefused(archive, expect.stringMatching(/^ARCHIVE_(CORRUPT|EMPTY)$/) as string);
      }),
      { numRuns: 150 },
    );
  });
});
