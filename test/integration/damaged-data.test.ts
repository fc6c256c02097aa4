import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anyFreePort } from "../../local/ports.ts";
import { startStack } from "../../local/stack.ts";

const START = fileURLToPath(new URL("../../local/start.ts", import.meta.url));
const START_MS = 180_000;

const sound = mkdtempSync(join(tmpdir(), "sound-data-"));
const made: string[] = [sound];
beforeAll(async () => {
  const stack = await startStack({ data_dir: sound });
  await stack.stop();
}, START_MS);
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

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
  const copy = join(mkdtempSync(join(tmpdir(), "damaged-data-")), "data");
  made.push(copy);
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
const DAMAGES: [what: string, named: string, damage: (data: string) => void][] = [
  ["the table's MANIFEST", "dynamodb", (data) => overwrite(manifest(data), "garbage")],
  ["no MANIFEST of the table", "dynamodb", (data) => rmSync(manifest(data))],
  ["the table's CURRENT", "dynamodb", (data) => overwrite(join(data, "dynamodb/CURRENT"), "garbage")],
  ["an empty CURRENT of the table", "dynamodb", (data) => overwrite(join(data, "dynamodb/CURRENT"), "")],
  ["a file where the table was", "dynamodb", (data) => overwrite(join(data, "dynamodb"), "")],
  [
    "the queues' database",
    "sqs-and-s3/fauxqs.db",
    (data) => overwrite(join(data, "sqs-and-s3/fauxqs.db"), "garbage".repeat(1000)),
  ],
  ["the credentials", "credentials.json", (data) => overwrite(join(data, "credentials.json"), '{"url":')],
  [
    "credentials without a key",
    "credentials.json",
    (data) => overwrite(join(data, "credentials.json"), "{}"),
  ],
  ["credentials of null", "credentials.json", (data) => overwrite(join(data, "credentials.json"), "null")],
  [
    "a directory where the credentials were",
    "credentials.json",
    (data) => replaceByDirectory(join(data, "credentials.json")),
  ],
  ["the pepper", "pepper", (data) => overwrite(join(data, "pepper"), "abc")],
  ["the webhooks' secret", "webhook-secret-root", (data) => overwrite(join(data, "webhook-secret-root"), "")],
  ["the lock", "stack.lock", (data) => overwrite(join(data, "stack.lock"), "garbage".repeat(1000))],
  ["the emulators' lock", "emulators.lock", (data) => replaceByDirectory(join(data, "emulators.lock"))],
  ["the log", "stack.log", (data) => replaceByDirectory(join(data, "stack.log"))],
  ["the whole directory", "", (data) => overwrite(data, "")],
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

describe("npm start with a configuration that is not valid", () => {
  const files = readdirSync("configs").filter((name) => name.endsWith(".json"));

  it.each(files)(
    "refuses %s, naming the file and where in it the fault is",
    async (name) => {
      const configs = mkdtempSync(join(tmpdir(), "configs-"));
      made.push(configs);
      cpSync("configs", configs, { recursive: true });
      const value = JSON.parse(readFileSync(join(configs, name), "utf8"));
      writeFileSync(join(configs, name), JSON.stringify({ ...value, surprise: 1 }));
      const { code, stdout, lines } = await refusal(copyOf(sound), { CONFIG_DIRECTORY: configs });
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(lines[0]).toContain(join(configs, name));
      expect(lines[0]).toContain("surprise");
    },
    START_MS,
  );

  it(
    "names every faulty file at once: one that is absent, one that is no JSON, one with a wrong value",
    async () => {
      const configs = mkdtempSync(join(tmpdir(), "configs-"));
      made.push(configs);
      cpSync("configs", configs, { recursive: true });
      rmSync(join(configs, "webhooks.json"));
      writeFileSync(join(configs, "graph.json"), "{");
      const policy = JSON.parse(readFileSync(join(configs, "retry_policy.json"), "utf8"));
      writeFileSync(
        join(configs, "retry_policy.json"),
        JSON.stringify({ ...policy, redispatch_seconds: "x" }),
      );
      const { code, lines } = await refusal(copyOf(sound), { CONFIG_DIRECTORY: configs });
      expect(code).toBe(1);
      const text = lines.join("\n");
      expect(text).toContain(`${join(configs, "webhooks.json")} is not valid: ENOENT`);
      expect(text).toContain(`${join(configs, "graph.json")} is not valid: it is not JSON`);
      expect(text).toContain(
        `${join(configs, "retry_policy.json")} is not valid: /redispatch_seconds is "x"`,
      );
    },
    START_MS,
  );
});
