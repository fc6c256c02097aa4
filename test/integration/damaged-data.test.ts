import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { openDataDirectory } from "../../local/data-directory.ts";
import { ensureDevelopmentKey, ensureSecret } from "../../local/development-key.ts";
import { startDynamoDb } from "../../local/emulators/dynamodb.ts";
import { startSqsAndS3 } from "../../local/emulators/sqs-and-s3.ts";
import { anyFreePort } from "../../local/ports.ts";
import { startStack } from "../../local/stack.ts";

const START = fileURLToPath(new URL("../../local/start.ts", import.meta.url));
const START_MS = 180_000;

const sound = temporaryDirectory("sound-data");
beforeAll(async () => {
  const stack = await startStack({ data_dir: sound });
  await stack.stop();
}, START_MS);

/** What `npm start` says when it does not start. */
async function refusal(data_directory: string, environment: Record<string, string> = {}) {
  const given = [START, "--port", String(await anyFreePort()), "--data-dir", data_directory];
  const ended = await promisify(execFile)(process.execPath, given, {
    env: { ...process.env, ...environment },
    timeout: START_MS / 2,
  }).then(
    () => ({ code: 0, stdout: "", stderr: "" }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  return { code: ended.code, stdout: ended.stdout, lines: ended.stderr.trim().split("\n") };
}

function copyOf(directory: string): string {
  const copy = join(temporaryDirectory("damaged-data"), "data");
  cpSync(directory, copy, { recursive: true });
  return copy;
}

function overwrite(file: string, text: string): void {
  rmSync(file, { recursive: true, force: true });
  writeFileSync(file, text);
}

function replaceByDirectory(file: string): void {
  rmSync(file, { recursive: true, force: true });
  mkdirSync(file);
}

const manifest = (data: string) =>
  join(
    data,
    "dynamodb",
    readdirSync(join(data, "dynamodb")).find((name) => name.startsWith("MANIFEST")) ?? "",
  );
/** Overwrites some bytes in the middle of the table's log. */
function damageLog(data: string): void {
  const name = readdirSync(join(data, "dynamodb")).find((file) => file.endsWith(".log"));
  const file = join(data, "dynamodb", name ?? "");
  const bytes = readFileSync(file);
  bytes.fill("x", Math.floor(bytes.length / 3), Math.floor(bytes.length / 3) + 100);
  writeFileSync(file, bytes);
}

type Damage = [what: string, named: string, damage: (data: string) => void];

/** One of each kind of part, through the whole of `npm start`. */
const DAMAGES: Damage[] = [
  ["the table's log", "dynamodb", damageLog],
  ["the table's MANIFEST", "dynamodb", (data) => overwrite(manifest(data), "garbage")],
  [
    "the queues' database",
    "sqs-and-s3/fauxqs.db",
    (data) => overwrite(join(data, "sqs-and-s3/fauxqs.db"), "garbage".repeat(1000)),
  ],
  ["the credentials", "credentials.json", (data) => overwrite(join(data, "credentials.json"), '{"url":')],
  ["the pepper", "pepper", (data) => overwrite(join(data, "pepper"), "abc")],
  ["the emulators' lock", "emulators.lock", (data) => replaceByDirectory(join(data, "emulators.lock"))],
  ["the log", "stack.log", (data) => replaceByDirectory(join(data, "stack.log"))],
  ["the whole directory", "", (data) => overwrite(data, "")],
];

/** The same kinds of damage, to the parts themselves. */
const table = (data: string) => startDynamoDb({ directory: join(data, "dynamodb"), port: 0 });
const queues = (data: string) => startSqsAndS3({ directory: join(data, "sqs-and-s3"), port: 0 });
const credentials = (data: string) =>
  ensureDevelopmentKey({
    table_name: "none",
    pepper: "none",
    credentials_file: join(data, "credentials.json"),
    url: "http://127.0.0.1:9",
    tenant: "local",
  });
const PARTS: [...Damage, open: (data: string) => unknown][] = [
  ["no MANIFEST of the table", "dynamodb", (data) => rmSync(manifest(data)), table],
  ["the table's CURRENT", "dynamodb", (data) => overwrite(join(data, "dynamodb/CURRENT"), "garbage"), table],
  ["an empty CURRENT", "dynamodb", (data) => overwrite(join(data, "dynamodb/CURRENT"), ""), table],
  ["a file where the table was", "dynamodb", (data) => overwrite(join(data, "dynamodb"), ""), table],
  ["a file where the queues were", "sqs-and-s3", (data) => overwrite(join(data, "sqs-and-s3"), ""), queues],
  ["no key", "credentials.json", (data) => overwrite(join(data, "credentials.json"), "{}"), credentials],
  ["null", "credentials.json", (data) => overwrite(join(data, "credentials.json"), "null"), credentials],
  [
    "a directory where the credentials were",
    "credentials.json",
    (data) => replaceByDirectory(join(data, "credentials.json")),
    credentials,
  ],
  [
    "the webhooks' secret",
    "webhook-secret-root",
    (data) => overwrite(join(data, "webhook-secret-root"), ""),
    (data) => ensureSecret(data, "webhook-secret-root"),
  ],
  [
    "the lock",
    "stack.lock",
    (data) => overwrite(join(data, "stack.lock"), "garbage".repeat(1000)),
    (data) => openDataDirectory(data),
  ],
];

describe("npm start with damaged data", () => {
  it.each(DAMAGES)(
    "names the file and what to do: %s",
    async (_what, named, damage) => {
      const data = copyOf(sound);
      damage(data);
      const { code, stdout, lines } = await refusal(data);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain(join(data, named));
      expect(lines[0]).toMatch(/elete it|delete it|[Cc]hoose another/);
      expect(lines[0]).not.toMatch(/\bat .*:\d+:\d+|node:internal/);
    },
    START_MS,
  );
});

describe("a damaged part of the data", () => {
  it.each(PARTS)("is named with what to do: %s", async (_what, named, damage, open) => {
    const data = copyOf(sound);
    damage(data);
    const error = await Promise.resolve()
      .then(() => open(data))
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    const { message } = error as Error;
    expect(message).toContain(join(data, named));
    expect(message).toMatch(/elete it|delete it|delete that/);
    expect(message.split("\n")).toHaveLength(1);
  });
});

describe("npm start with configuration that is not valid", () => {
  it(
    "names every faulty file at once: one that is absent, one that is no JSON, one with a wrong value",
    async () => {
      const configs = temporaryDirectory("configs");
      cpSync("configs", configs, { recursive: true });
      rmSync(join(configs, "webhooks.json"));
      writeFileSync(join(configs, "graph.json"), "{");
      const policy = JSON.parse(readFileSync(join(configs, "retry_policy.json"), "utf8"));
      writeFileSync(
        join(configs, "retry_policy.json"),
        JSON.stringify({ ...policy, redispatch_seconds: "x" }),
      );
      const { code, stdout, lines } = await refusal(copyOf(sound), { CONFIG_DIRECTORY: configs });
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      const text = lines.join("\n");
      expect(text).toContain(`${join(configs, "webhooks.json")} is missing`);
      expect(text).toContain(`${join(configs, "graph.json")} is not valid: it is not JSON`);
      expect(text).toContain(
        `${join(configs, "retry_policy.json")} is not valid: /redispatch_seconds is "x"`,
      );
    },
    START_MS,
  );
});
