import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeArchive } from "#lib/code/source/pack-source.ts";

/** An input that asks for more work, memory or bytes than it looks like. */
export interface HostileInput {
  name: string;
  /** Body of `POST /api/tasks`; `upload` is an archive to upload first. */
  submission: Record<string, unknown>;
  upload?: Buffer;
  /** How it must end: the code of the refused submission or of the ended task. */
  code: RegExp;
}

const rule = (matcher: object, fix: string, id = "r", language = "js") =>
  JSON.stringify({ id, language, rule: matcher, fix });

/** `{has: {has: …, stopBy: end}}`, so many levels deep. */
const nested = (levels: number): object =>
  levels === 0 ? { pattern: "absent()" } : { has: { ...nested(levels - 1), stopBy: "end" } };

const codemod = (files: Record<string, string>, rules: string) => ({
  workflow: "change",
  source: { kind: "inline", files },
  change: { kind: "codemod", rules },
  test: "true",
});

/** The inputs, with a git server behind one of them; `close` ends it. */
export async function hostileInputs(): Promise<{ inputs: HostileInput[]; close(): void }> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "application/x-git-upload-pack-advertisement");
    const piece = Buffer.alloc(1024 * 1024, "a");
    const send = () => {
      while (!response.destroyed) if (!response.write(piece)) return;
    };
    response.on("drain", send).on("error", () => {});
    send();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const doubling = Array.from({ length: 16 }, (_, index) =>
    rule({ kind: "program", pattern: "$A" }, "$A\n$A", `d${index}`),
  ).join("\n---\n");
  const link = {
    kind: "symbolic link",
    path: `${"a/".repeat(1000)}l`,
    target: `${"b/../".repeat(12_000)}l`,
  } as const;
  const inputs: HostileInput[] = [
    {
      name: "a codemod pattern of 100,000 nested brackets",
      submission: codemod(
        { "a.js": "a();\n" },
        rule({ pattern: "[".repeat(100_000) + "]".repeat(100_000) }, "b"),
      ),
      code: /^(COMPUTATION|CODEMOD)_/,
    },
    {
      name: "a codemod rule that searches without end",
      submission: {
        ...codemod({ "a.js": `${"(".repeat(100)}1${")".repeat(100)};\n` }, rule(nested(8), "b")),
        deadline_seconds: 20,
      },
      code: /^(COMPUTATION_TIME_LIMIT|DEADLINE_EXCEEDED)$/,
    },
    {
      name: "codemod rules that double a file 16 times",
      submission: codemod({ "a.js": "go(1);\n".repeat(150) }, doubling),
      code: /^COMPUTATION_OUTPUT_LIMIT$/,
    },
    {
      name: "an archive with a link that turns 12,000 times",
      submission: { workflow: "index" },
      upload: await writeArchive([link]),
      code: /^ARCHIVE_UNSAFE_LINK$/,
    },
    {
      name: "a Markdown heading of 300,000 marks",
      submission: {
        workflow: "index",
        source: {
          kind: "inline",
          files: { "README.md": `${"#".repeat(300_000)}x${"\n".repeat(1400)}`, "a.js": "a();\n" },
        },
      },
      code: /^passed$/,
    },
    {
      name: "a source of 500,000 backticks",
      submission: {
        workflow: "index",
        source: { kind: "inline", files: { "a.js": `${"`\n".repeat(250_000)}x` } },
      },
      code: /^passed$/, // the file is left out of the index
    },
    {
      name: "a git server whose refs never end",
      submission: { workflow: "index", source: { kind: "git", url: `http://127.0.0.1:${port}/x.git` } },
      code: /^GIT_MEMORY_LIMIT$/,
    },
  ];
  return {
    inputs,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Api {
  request<Body>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Body }>;
  ended(
    task_id: string,
  ): Promise<{ verdict?: string | null | undefined; steps?: readonly { code?: string }[] }>;
}

/** Submits an input and gives how it ended: a code, or the verdict of a task without one. */
export async function submitHostile(api: Api, { submission, upload }: HostileInput): Promise<string> {
  const source = upload && { source: { kind: "upload", upload_id: await send(api, upload) } };
  const body = { profile: "trusted", ...submission, ...source };
  const accepted = await api.request<{ code: string; task_id: string }>("POST", "/api/tasks", body);
  if (accepted.status !== 202) return accepted.body.code;
  const task = (await api.ended(accepted.body.task_id)) as {
    code?: string;
    verdict?: string;
    steps?: { code?: string }[];
  };
  return task.code ?? task.steps?.find(({ code }) => code)?.code ?? String(task.verdict);
}

async function send(api: Api, bytes: Buffer): Promise<string> {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const { body } = await api.request<{ url: string; method: string; headers: Record<string, string> }>(
    "POST",
    "/api/uploads",
    { sha256, bytes: bytes.length },
  );
  const sent = await fetch(body.url, {
    method: body.method,
    headers: body.headers,
    body: new Uint8Array(bytes),
  });
  if (sent.status !== 200) throw new Error(`the upload answered ${sent.status}: ${await sent.text()}`);
  return sha256;
}
