import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { anyFreePort } from "./ports.ts";

const START = fileURLToPath(new URL("start.ts", import.meta.url));

/** What `npm start` says and leaves behind. */
async function start(environment: Record<string, string>, data_directory = temporaryDirectory("start")) {
  const port = String(await anyFreePort());
  const given = [START, "--port", port, "--data-dir", data_directory];
  const { code, stderr } = await promisify(execFile)(process.execPath, given, {
    env: { ...process.env, ...environment },
  }).then(
    () => ({ code: 0, stderr: "" }),
    (error: { code: number; stderr: string }) => error,
  );
  return {
    code,
    lines: stderr.trim().split("\n"),
    left: existsSync(data_directory) ? readdirSync(data_directory) : [],
  };
}

describe("npm start", () => {
  it("says once, for each service of the stage localstack that is not there, what to do, and starts nothing", async () => {
    const AWS_ENDPOINT_URL = `http://127.0.0.1:${await anyFreePort()}`;
    const { code, lines, left } = await start({ STAGE: "localstack", AWS_ENDPOINT_URL });
    expect(code).toBe(1);
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toContain(`at ${AWS_ENDPOINT_URL} is not there: start it`);
    expect(left).toEqual([]);
  });

  it("says so when the data directory cannot be made, wherever it is", async () => {
    const { code, lines } = await start({}, "/proc/nowhere/data");
    expect([code, lines]).toEqual([
      1,
      [expect.stringMatching(/^The data directory \/proc\/nowhere\/data cannot be used .* --data-dir\.$/)],
    ]);
  });

  it("refuses a stage that only AWS has", async () => {
    const { code, lines } = await start({ STAGE: "production" });
    expect([code, lines]).toEqual([
      1,
      ["npm start runs the stages local and localstack, not STAGE=production."],
    ]);
  });
});
