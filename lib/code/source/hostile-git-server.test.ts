import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { resolveSource } from "#lib/code/source/resolve-source.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { git, serveGit } from "#test/fakes/git-server.ts";
import { fakeSourcePorts } from "#test/fakes/source-ports.ts";
import { temporaryDirectory } from "#test/temporary.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

const MEBIBYTE = 1024 * 1024;
const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

/** A server that answers every request in this one way. */
async function serve(answer: Answer): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise<void>((resolve) => server.once("listening", () => resolve()));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/project.git`;
}

const ports = (git_limits: Partial<SourcePorts["git_limits"]> = {}): SourcePorts => {
  const fake = fakeSourcePorts({ tree_bytes_max: 4 * MEBIBYTE });
  return {
    ...fake,
    outbound: { schemes: ["https", "http"], addresses: "loopback" },
    git_limits: { ...fake.git_limits, ...git_limits },
  };
};

/** Sends pieces for as long as the other side takes them. */
function sendForEver(response: ServerResponse, piece: Buffer): void {
  const send = () => {
    while (!response.destroyed) if (!response.write(piece)) return;
  };
  response.on("drain", send);
  send();
}

const packet = (text: string | Buffer): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
};
const FLUSH = Buffer.from("0000");
const ID = "1".repeat(40);
const REFS = Buffer.concat([
  packet("# service=git-upload-pack\n"),
  FLUSH,
  packet(`${ID} HEAD\0side-band-64k ofs-delta shallow symref=HEAD:refs/heads/main agent=x\n`),
  packet(`${ID} refs/heads/main\n`),
  FLUSH,
]);

const isRefs = (request: IncomingMessage) => request.url?.includes("/info/refs") === true;

function sendRefs(response: ServerResponse, body: Buffer = REFS): void {
  response.setHeader("content-type", "application/x-git-upload-pack-advertisement").end(body);
}

/** Refs as they should be, then this in the place of a pack: gitprotocol-pack(5), over stateless HTTP. */
const thenPack =
  (answer: (response: ServerResponse) => void): Answer =>
  async (request, response) => {
    if (isRefs(request)) return sendRefs(response);
    let asked = "";
    for await (const chunk of request) asked += String(chunk);
    response.setHeader("content-type", "application/x-git-upload-pack-result");
    response.write(Buffer.concat([packet(`shallow ${ID}\n`), FLUSH]));
    if (!asked.includes("done")) return response.end();
    response.write(packet("NAK\n"));
    answer(response);
  };

async function refusal(
  answer: Answer,
  limits: Partial<SourcePorts["git_limits"]> = {},
): Promise<RejectedInput> {
  const url = await serve(answer);
  const error = await resolveSource({ kind: "git", url }, ports(limits)).then(
    () => expect.fail("it was fetched"),
    (thrown: unknown) => thrown as RejectedInput,
  );
  expect(error, error.message).toBeInstanceOf(RejectedInput);
  return error;
}

describe("a git server that means harm is refused for good", () => {
  it("when its list of refs never ends", async () => {
    const memory = { memory_bytes_max: 96 * MEBIBYTE };
    const endless = await refusal((_, response) => {
      response.setHeader("content-type", "application/x-git-upload-pack-advertisement");
      response.write(Buffer.concat([packet("# service=git-upload-pack\n"), FLUSH]));
      let place = 0;
      const line = () => packet(`${ID} refs/heads/${"x".repeat(200)}${place++}\n`);
      sendForEver(response, Buffer.concat(Array.from({ length: 1000 }, line)));
    }, memory);
    expect(endless.code, endless.message).toBe("GIT_MEMORY_LIMIT");
  }, 120_000);

  it("when its answer is no list of refs and never ends", async () => {
    const memory = { memory_bytes_max: 96 * MEBIBYTE };
    const endless = await refusal((_, response) => {
      response.setHeader("content-type", "application/x-git-upload-pack-advertisement");
      sendForEver(response, Buffer.alloc(MEBIBYTE, "a"));
    }, memory);
    expect(endless.code, endless.message).toBe("GIT_MEMORY_LIMIT");
  }, 120_000);

  it("when its pack never ends", async () => {
    const header = Buffer.concat([Buffer.from("PACK"), Buffer.from([0, 0, 0, 2, 0x7f, 0xff, 0xff, 0xff])]);
    // One blob that claims to have many bytes, in stored blocks of deflate.
    const object = Buffer.concat([
      Buffer.from([0xb0 | 0x0f, 0xff, 0xff, 0xff, 0x7f]),
      Buffer.from([0x78, 0x01]),
    ]);
    const block = Buffer.concat([Buffer.from([0, 0x00, 0x80, 0xff, 0x7f]), Buffer.alloc(0x8000, 7)]);
    const endless = await refusal(
      thenPack((response) => {
        response.write(packet(Buffer.concat([Buffer.from([1]), header, object])));
        sendForEver(response, packet(Buffer.concat([Buffer.from([1]), block])));
      }),
    );
    expect(endless.code, endless.message).toMatch(/^SOURCE_TOO_LARGE$|^GIT_MEMORY_LIMIT$/);
  }, 120_000);

  it("when its messages never end", async () => {
    const said = Buffer.concat([Buffer.from([2]), Buffer.from("Counting objects: 1\n".repeat(1000))]);
    const endless = await refusal(thenPack((response) => sendForEver(response, packet(said))));
    expect(endless.code, endless.message).toBe("GIT_OUTPUT_LIMIT");
  }, 120_000);

  it("when it sends a byte now and then, or nothing", async () => {
    for (const drip of [true, false]) {
      const slow = await refusal(
        (_, response) => {
          response.setHeader("content-type", "application/x-git-upload-pack-advertisement").flushHeaders();
          if (!drip) return;
          const timer = setInterval(() => response.write("0"), 50);
          response.on("close", () => clearInterval(timer));
        },
        { fetch_seconds_max: 2 },
      );
      expect(slow.code, slow.message).toBe("GIT_TIME_LIMIT");
    }
  }, 120_000);

  it("when it redirects for ever", async () => {
    const turning = await refusal((request, response) => {
      response.writeHead(302, { location: request.url }).end();
    });
    expect(turning.code).toBe("GIT_REPOSITORY_REFUSED");
  });

  it("when the task's deadline comes first", async () => {
    const url = await serve((_, response) => response.flushHeaders());
    const soon = { ...ports(), deadline_ms: Date.now() + 1500 };
    await expect(resolveSource({ kind: "git", url }, soon)).rejects.toMatchObject({
      code: "GIT_TIME_LIMIT",
      disposition: "reject",
    });
  }, 120_000);

  it("when a tree of a few objects names itself so often that listing it never ends", async () => {
    const root = temporaryDirectory("git-bomb");
    closing.push(() => rm(root, { recursive: true, force: true }));
    const repository = join(root, "bomb.git");
    await mkdir(repository);
    await git(repository, "init", "--quiet", "--bare");
    await git(repository, "config", "uploadpack.allowAnySHA1InWant", "true");
    let tree = await git(repository, "hash-object", "-t", "tree", "-w", "/dev/null");
    for (let level = 0; level < 40; level++) tree = treeTwice(repository, tree);
    const commit = await git(repository, "commit-tree", tree, "-m", "bomb");
    await git(repository, "update-ref", "HEAD", commit);
    const server = await serveGit(root);
    closing.push(() => server.close());
    const limits = ports({ fetch_seconds_max: 5 });
    await expect(resolveSource({ kind: "git", url: `${server.url}/bomb.git` }, limits)).rejects.toMatchObject(
      {
        code: "GIT_TIME_LIMIT",
        disposition: "reject",
      },
    );
  }, 120_000);

  it("and leaves nothing in the temporary directory", async () => {
    const left = (await readdir(tmpdir())).filter(
      (name) => name.startsWith("agents-git-") && name.includes(`.${process.pid}.`),
    );
    expect(left).toEqual([]);
  });
});

/** A tree that has the tree twice. */
function treeTwice(repository: string, tree: string): string {
  const input = `040000 tree ${tree}\ta\n040000 tree ${tree}\tb\n`;
  return execFileSync("git", ["mktree"], { cwd: repository, input, encoding: "utf8" }).trim();
}

describe("a git server that refuses in its own words", () => {
  const refusing =
    (words: string): Answer =>
    (request, response) =>
      isRefs(request) ? sendRefs(response, Buffer.concat([packet(`ERR ${words}\n`), FLUSH])) : response.end();
  const faultOf = async (words: string) => {
    const url = await serve(refusing(words));
    return resolveSource({ kind: "git", url }, ports()).catch((error: unknown) => error);
  };

  it("is asked once, and its words are shown, bounded", async () => {
    const fault = (await faultOf(`access denied ${"x".repeat(2000)}`)) as RejectedInput;
    expect(fault).toMatchObject({ code: "GIT_REPOSITORY_REFUSED", disposition: "reject" });
    expect(fault.message).toContain("access denied");
    expect(fault.message.length).toBeLessThan(500);
  });

  it("is asked again when it says that this is for now", async () => {
    expect(await faultOf("Service temporarily unavailable")).toMatchObject({
      code: "GIT_REPOSITORY_UNREACHABLE",
      disposition: "retry",
    });
  });
});
