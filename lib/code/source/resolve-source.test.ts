import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { packDirectory } from "#lib/code/source/pack-source.ts";
import { resolveSource } from "#lib/code/source/resolve-source.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";
import { unpackSource } from "#lib/code/source/unpack-source.ts";
import { type GitServer, git, serveGit, writeFiles } from "#test/fakes/git-server.ts";
import { fakeSourcePorts } from "#test/fakes/source-ports.ts";
import { needing } from "#test/needing.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { isHere } from "#test/tools.ts";

type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

const loopback = (limits = {}): SourcePorts => ({
  ...fakeSourcePorts(limits),
  outbound: { schemes: ["https", "http"], addresses: "loopback" },
});
const serveAll: Intercept = () => false;

let root: string;
let server: GitServer;
let project: string;
let first_commit: string;
let intercept = serveAll;

const with_git = await needing("git");
const git_is_here = await isHere("git");

beforeAll(async () => {
  if (!git_is_here) return;
  root = temporaryDirectory("git-server");
  const work = join(root, "work");
  await mkdir(work);
  await git(work, "init", "--quiet", "-b", "main");
  await writeFiles(work, {
    "index.js": "one\r\ntwo\n",
    ".gitattributes": "*.js text eol=crlf ident\nleft-out export-ignore\n*.bin filter=danger\n",
    "left-out": "still here\n",
    "ident.js": "$Id$\n",
    "data.bin": "\u0000\u0001",
    "run.sh": "#!/bin/sh\n",
    "deep/dir/ünï.txt": "x",
  });
  await chmod(join(work, "run.sh"), 0o755);
  await symlink("deep/dir", join(work, "link"));
  await git(work, "add", "-A");
  await git(work, "commit", "--quiet", "-m", "first");
  first_commit = await git(work, "rev-parse", "HEAD");
  await git(work, "tag", "-a", "v1", "-m", "annotated");
  await git(work, "checkout", "--quiet", "-b", "feature/x");
  await writeFile(join(work, "added.txt"), "on the branch\n");
  await git(work, "add", "-A");
  await git(work, "commit", "--quiet", "-m", "second");
  await git(work, "checkout", "--quiet", "-b", "escapes");
  await symlink("/etc", join(work, "out"));
  await git(work, "add", "-A");
  await git(work, "commit", "--quiet", "-m", "third");
  await git(work, "checkout", "--quiet", "main");
  await git(root, "clone", "--quiet", "--bare", "work", "project.git");
  server = await serveGit(root, (request, response) => intercept(request, response));
  project = `${server.url}/project.git`;
}, 60_000);

afterEach(() => {
  intercept = serveAll;
});

afterAll(async () => {
  if (!git_is_here) return;
  await server.close();
});

async function pathsOf(source: { url: string; ref?: string }): Promise<string[]> {
  const ports = loopback();
  const resolved = await resolveSource({ kind: "git", ...source }, ports);
  return withTemporaryDirectory("resolve-test", async (directory) => {
    await unpackSource(resolved.blob, directory, ports);
    return [...(await readTree(directory)).keys()].sort();
  });
}

const MAIN = [
  ".gitattributes",
  "data.bin",
  "deep/dir/ünï.txt",
  "ident.js",
  "index.js",
  "left-out",
  "link",
  "run.sh",
];

with_git.describe("resolveSource", () => {
  it("leaves an archive as it is", async () => {
    const ports = fakeSourcePorts();
    const blob = await ports.blobs.write("anything", "application/gzip");
    expect(await resolveSource({ kind: "archive", blob }, ports)).toEqual({ kind: "archive", blob });
  });

  it("fetches a branch, a tag, a commit or HEAD", async () => {
    expect(await pathsOf({ url: project })).toEqual(MAIN);
    expect(await pathsOf({ url: project, ref: "v1" })).toEqual(MAIN);
    expect(await pathsOf({ url: project, ref: first_commit })).toEqual(MAIN);
    expect(await pathsOf({ url: project, ref: "feature/x" })).toEqual(["added.txt", ...MAIN].sort());
    expect(await pathsOf({ url: project, ref: "refs/heads/feature/x" })).toContain("added.txt");
  });

  it("gives the same bytes for the same revision, and those that git stores", async () => {
    const ports = loopback();
    const first = await resolveSource({ kind: "git", url: project }, ports);
    expect(await resolveSource({ kind: "git", url: project, ref: first_commit }, ports)).toEqual(first);
    await withTemporaryDirectory("resolve-test", async (directory) => {
      await unpackSource(first.blob, directory, ports);
      const tree = await readTree(directory);
      // No attribute has changed it: neither line endings nor `$Id$`.
      expect(tree.get("index.js")?.read().toString()).toBe("one\ntwo\n");
      expect(tree.get("ident.js")?.read().toString()).toBe("$Id$\n");
      expect(tree.get("run.sh")?.mode).toBe("100755");
      expect(tree.get("link")?.read().toString()).toBe("deep/dir");
      const packed = await ports.blobs.write(await packDirectory(directory), "application/gzip");
      expect(packed).toEqual(first.blob);
    });
  });

  it("refuses a ref that the repository does not have", async () => {
    for (const ref of ["nowhere", `${"0".repeat(39)}1`, first_commit.slice(0, 10)]) {
      await expect(resolveSource({ kind: "git", url: project, ref }, loopback())).rejects.toMatchObject({
        code: "GIT_REF_NOT_FOUND",
        disposition: "reject",
      });
    }
  });

  it.each([
    "--upload-pack=touch /tmp/x",
    "-h",
    "a:b",
    "+main",
    "a..b",
    "a b",
    "refs/*",
    "a@{1}",
    "a~1",
    "^a",
    "x\ny",
    "a.lock",
  ])("refuses %j, which is no ref", async (ref) => {
    await expect(resolveSource({ kind: "git", url: project, ref }, loopback())).rejects.toMatchObject({
      code: "GIT_REF_INVALID",
    });
  });

  it("refuses a repository that is not there or wants credentials", async () => {
    const absent = resolveSource({ kind: "git", url: `${server.url}/absent.git` }, loopback());
    await expect(absent).rejects.toMatchObject({ code: "GIT_REPOSITORY_REFUSED", disposition: "reject" });
    intercept = (_, response) => {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      return true;
    };
    const closed = resolveSource({ kind: "git", url: project }, loopback());
    await expect(closed).rejects.toMatchObject({ code: "GIT_REPOSITORY_REFUSED", disposition: "reject" });
    await expect(closed).rejects.toThrow(/credentials/);
  });

  it("retries what may be there later", async () => {
    intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    const busy = resolveSource({ kind: "git", url: project }, loopback());
    await expect(busy).rejects.toMatchObject({ code: "GIT_REPOSITORY_UNREACHABLE", disposition: "retry" });
    const listener = createServer().listen(0, "127.0.0.1");
    await new Promise<void>((resolve) => listener.once("listening", () => resolve()));
    const { port } = listener.address() as AddressInfo;
    await new Promise<void>((resolve) => listener.close(() => resolve()));
    const dead = resolveSource({ kind: "git", url: `http://127.0.0.1:${port}/x.git` }, loopback());
    await expect(dead).rejects.toMatchObject({ code: "GIT_REPOSITORY_UNREACHABLE", disposition: "retry" });
  });

  it("does not follow a redirect", async () => {
    intercept = (request, response) => {
      if (!request.url?.startsWith("/moved.git")) return false;
      response.writeHead(302, { location: request.url.replace("moved", "project") }).end();
      return true;
    };
    const before = server.requests.length;
    const moved = resolveSource({ kind: "git", url: `${server.url}/moved.git` }, loopback());
    await expect(moved).rejects.toMatchObject({ code: "GIT_REPOSITORY_REFUSED", disposition: "reject" });
    await expect(moved).rejects.toThrow(/redirect/);
    expect(server.requests.slice(before).some((url) => url.startsWith("/project.git"))).toBe(false);
  });

  it("refuses a tree past the limits, and a link out of it", async () => {
    const tooMany = resolveSource({ kind: "git", url: project }, loopback({ tree_files_max: 3 }));
    await expect(tooMany).rejects.toMatchObject({ code: "SOURCE_TOO_MANY_FILES", disposition: "reject" });
    const tooLarge = resolveSource({ kind: "git", url: project }, loopback({ tree_bytes_max: 20 }));
    await expect(tooLarge).rejects.toMatchObject({ code: "SOURCE_TOO_LARGE", disposition: "reject" });
    const escaping = resolveSource({ kind: "git", url: project, ref: "escapes" }, loopback());
    await expect(escaping).rejects.toMatchObject({ code: "SOURCE_LINK_UNSAFE", disposition: "reject" });
  });

  it.each([
    "http://127.0.0.1:1",
    "http://localhost:1",
    "http://localhost.:1",
    "http://[::1]:1",
    "http://2130706433:1",
    "http://0x7f.1:1",
    "http://[::ffff:127.0.0.1]:1",
    "http://169.254.169.254",
  ])("refuses %s unless private hosts are allowed", async (origin) => {
    const source = { kind: "git" as const, url: `${origin}/project.git` };
    await expect(resolveSource(source, fakeSourcePorts())).rejects.toMatchObject({
      code: "GIT_HOST_FORBIDDEN",
      disposition: "reject",
    });
  });

  it("connects to the address that was checked, and does not resolve the name again", async () => {
    const url = project.replace("127.0.0.1", "project.example");
    const lookup = async () => [{ address: "127.0.0.1" }];
    const resolved = await resolveSource({ kind: "git", url }, { ...loopback(), lookup });
    expect(resolved.blob.bytes).toBeGreaterThan(0);
    const unresolved = resolveSource({ kind: "git", url }, { ...loopback(), lookup: async () => [] });
    await expect(unresolved).rejects.toMatchObject({ code: "GIT_REPOSITORY_REFUSED", disposition: "reject" });
  });

  it("refuses a name that leads to a private address, also beside a public one", async () => {
    const url = project.replace("127.0.0.1", "project.example");
    const before = server.requests.length;
    for (const address of ["127.0.0.1", "169.254.169.254"]) {
      const lookup = async () => [{ address: "140.82.112.3" }, { address }];
      const refused = resolveSource({ kind: "git", url }, { ...fakeSourcePorts(), lookup });
      await expect(refused).rejects.toMatchObject({ code: "GIT_HOST_FORBIDDEN", disposition: "reject" });
    }
    expect(server.requests.length).toBe(before);
  });

  it("connects by no scheme but those allowed", async () => {
    const outbound = { schemes: ["https" as const], addresses: "loopback" as const };
    const refused = resolveSource({ kind: "git", url: project }, { ...loopback(), outbound });
    await expect(refused).rejects.toMatchObject({ code: "GIT_URL_INVALID", disposition: "reject" });
  });

  it.each(["ext::sh -c id", "file:///etc", "ssh://a/b", "http://user:secret@127.0.0.1/x", "not a url"])(
    "refuses the URL %j",
    async (url) => {
      const refused = resolveSource({ kind: "git", url }, loopback());
      await expect(refused).rejects.toMatchObject({ code: "GIT_URL_INVALID", disposition: "reject" });
      await expect(refused).rejects.not.toThrow(/secret/);
    },
  );

  it("says so when there is no git program", async () => {
    const ports = { ...loopback(), git_program: "/nonexistent/git" };
    await expect(resolveSource({ kind: "git", url: project }, ports)).rejects.toMatchObject({
      code: "GIT_UNAVAILABLE",
      disposition: "terminal",
    });
  });

  it("ends a fetch that hangs when it is aborted, and leaves nothing behind", async () => {
    const controller = new AbortController();
    const requested = Promise.withResolvers<void>();
    intercept = () => {
      requested.resolve();
      return true;
    };
    const left = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("agents-git-"));
    const before = await left();
    const hanging = resolveSource(
      { kind: "git", url: project },
      { ...loopback(), signal: controller.signal },
    );
    await requested.promise;
    controller.abort(new Error("lease lost"));
    await expect(hanging).rejects.toThrow("lease lost");
    expect((await left()).filter((name) => !before.includes(name))).toEqual([]);
  });
});
