import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { findDamagedLog } from "./check-table-logs.ts";

const directory = temporaryDirectory("level-log");
let file = "";
let sound: Buffer;

/** A process that writes, and is killed before it could close its files. */
const WRITER = `
  const { createRequire } = require("node:module");
  const { Level } = createRequire(require.resolve("dynalite"))("level");
  const level = new Level(process.argv[1]);
  (async () => {
    for (let n = 0; n < 300; n++) await level.put("key" + n, String(n).repeat(200));
    process.kill(process.pid, "SIGKILL");
  })();`;

beforeAll(() => {
  expect(() => execFileSync(process.execPath, ["-e", WRITER, directory])).toThrow();
  const name = readdirSync(directory).find((entry) => entry.endsWith(".log"));
  file = join(directory, name ?? "");
  sound = readFileSync(file);
  expect(sound.length).toBeGreaterThan(2 * 32_768); // several blocks
});

const damagedWith = (bytes: Buffer) => {
  writeFileSync(file, bytes);
  return findDamagedLog(directory);
};

describe("a log of LevelDB", () => {
  it("is sound as it was written, cut off anywhere, or followed by reserved space", () => {
    expect(damagedWith(sound)).toBeUndefined();
    for (let cut = 0; cut < sound.length; cut += 1009)
      expect(damagedWith(sound.subarray(0, cut))).toBeUndefined();
    expect(damagedWith(Buffer.concat([sound, Buffer.alloc(4096)]))).toBeUndefined();
  });

  it("is damaged when a byte of a record differs, and is named", () => {
    for (let at = 0; at < sound.length - 1000; at += 499) {
      if (32_768 - (at % 32_768) < 7) continue; // padding
      const damaged = Buffer.from(sound);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      expect(damagedWith(damaged), `byte ${at}`).toBe(file);
    }
  });
});
