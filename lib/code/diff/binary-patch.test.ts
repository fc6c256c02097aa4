import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { applyDiff } from "#lib/code/diff/apply-diff.ts";
import { BINARY_BYTES_MAX, formatBinary } from "#lib/code/diff/binary-patch.ts";
import { objectId } from "#lib/code/diff/file-diff.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { expectRefused, inTree, lines } from "#test/fakes/diff-tree.ts";

const NONE = "0".repeat(40);
const BEFORE = Buffer.from("\0before\xff", "latin1");

function patch(before: Buffer | null, after: Buffer | null, body: string): string {
  const ids = `${before ? objectId(before) : NONE}..${after ? objectId(after) : NONE}`;
  const mode =
    before === null ? "new file mode 100644\n" : after === null ? "deleted file mode 100644\n" : "";
  return `diff --git a/f b/f\n${mode}index ${ids}${mode === "" ? " 100644" : ""}\n${body}`;
}

async function result(before: Buffer | null, diff: string): Promise<Buffer | undefined> {
  return inTree(before ? { f: before } : {}, async (directory) => {
    await applyDiff(directory, diff);
    return (await readTree(directory)).get("f")?.read();
  });
}

/** A git delta: sizes, then the commands as given. */
function delta(before_bytes: number, after_bytes: number, ...commands: number[]): Buffer {
  const size = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...size(value >>> 7)];
  return Buffer.from([...size(before_bytes), ...size(after_bytes), ...commands]);
}

const withDelta = (bytes: Buffer, stated = bytes.length) =>
  `GIT binary patch\ndelta ${stated}\n${base85(deflateSync(bytes))}\n\n`;

describe("a binary patch", () => {
  it("is applied as git wrote it: literal and delta", async () => {
    // Made by git 2.39: bytes 0 … 255 three times, of which the byte at 300 became 0.
    const before = Buffer.from(Array.from({ length: 768 }, (_, index) => index % 256));
    const after = Buffer.from(before);
    after[300] = 0;
    const body = withDelta(
      delta(768, 768, 0x80 | 0x30, 0x2c, 0x01, 1, 0, 0x80 | 0x01 | 0x02 | 0x30, 0x2d, 0x01, 0xd3, 0x01),
    );
    expect(await result(before, patch(before, after, body))).toEqual(after);
  });

  it("goes there and back for contents of every length", async () => {
    for (let length = 0; length < 120; length++) {
      const after = Buffer.from(Array.from({ length }, (_, index) => (index * 7 + length) % 256));
      if (after.equals(BEFORE)) continue;
      expect(await result(BEFORE, patch(BEFORE, after, formatBinary(BEFORE, after))), String(length)).toEqual(
        after,
      );
    }
    expect(await result(null, patch(null, BEFORE, formatBinary(Buffer.alloc(0), BEFORE)))).toEqual(BEFORE);
    expect(await result(BEFORE, patch(BEFORE, null, formatBinary(BEFORE, Buffer.alloc(0))))).toBeUndefined();
  });

  it("needs the bytes that its header names before, and gives those it names after", async () => {
    const after = Buffer.from("after\0");
    const body = formatBinary(BEFORE, after);
    const other = Buffer.from("other\0");
    await expectRefused(
      { f: other },
      patch(BEFORE, after, body),
      "DIFF_DOES_NOT_APPLY",
      /but the tree has [0-9a-f]{40}/,
    );
    await expectRefused(
      { f: BEFORE },
      patch(BEFORE, other, body),
      "DIFF_DOES_NOT_APPLY",
      /not [0-9a-f]{40} as its header says/,
    );
    await expectRefused(
      { f: BEFORE },
      patch(BEFORE, after, body).replace(/\.\.[0-9a-f]{40}/, "..1234567"),
      "DIFF_DOES_NOT_APPLY",
      /whole object ids/,
    );
  });

  it.each<[string, (body: string) => string, string]>([
    ["a line of another length", (body) => body.replace(/\n(\w)(.*)\n\n/, "\n$1$2x\n\n"), "DIFF_MALFORMED"],
    ["a character that is not of base 85", (body) => body.replace(/\n(\w)./, "\n$1,"), "DIFF_MALFORMED"],
    ["digits beyond 32 bits", (body) => body.replace(/\n([A-Za-z])\S{5}/g, "\n$1~~~~~"), "DIFF_MALFORMED"],
    ["no method", (body) => body.replace("literal", "figurative"), "DIFF_MALFORMED"],
    ["an end in the middle", (body) => body.slice(0, body.indexOf("\n\n") + 1), "DIFF_MALFORMED"],
    ["more bytes than stated", (body) => body.replace(/literal \d+/, "literal 2"), "DIFF_DOES_NOT_APPLY"],
    ["fewer bytes than stated", (body) => body.replace(/literal \d+/, "literal 2000"), "DIFF_DOES_NOT_APPLY"],
    ["damage on the way back", (body) => body.replace(/(literal 8\n.)c/, "$1d"), "DIFF_DOES_NOT_APPLY"],
    [
      "a stated size over the limit",
      (body) => body.replace(/literal \d+/, `literal ${BINARY_BYTES_MAX + 1}`),
      "DIFF_TOO_LARGE",
    ],
  ])("is refused with %s", async (_, bend, code) => {
    const after = Buffer.from("after\0");
    const bent = bend(formatBinary(BEFORE, after));
    expect(bent).not.toBe(formatBinary(BEFORE, after));
    await expectRefused({ f: BEFORE }, patch(BEFORE, after, bent), code);
  });

  it("does not unpack more than it states", async () => {
    const bomb = deflateSync(Buffer.alloc(40 * 1024 * 1024));
    const body = `GIT binary patch\nliteral 100\n${base85(bomb)}\n\n`;
    await expectRefused(
      { f: BEFORE },
      patch(BEFORE, Buffer.alloc(100), body),
      "DIFF_DOES_NOT_APPLY",
      /decompressed/,
    );
  });

  it.each<[string, Buffer, string]>([
    ["another size before", delta(9, 1, 1, 65), "DIFF_DOES_NOT_APPLY"],
    ["a size over the limit", delta(8, BINARY_BYTES_MAX + 1, 1, 65), "DIFF_TOO_LARGE"],
    ["a size without end", Buffer.from([8, ...Array(20).fill(255)]), "DIFF_DOES_NOT_APPLY"],
    ["a copy past the end", delta(8, 9, 0x90, 9), "DIFF_DOES_NOT_APPLY"],
    ["more than it says", delta(8, 1, 2, 65, 66), "DIFF_DOES_NOT_APPLY"],
    ["less than it says", delta(8, 3, 2, 65, 66), "DIFF_DOES_NOT_APPLY"],
    ["an insertion that is cut off", delta(8, 3, 3, 65), "DIFF_DOES_NOT_APPLY"],
    ["the reserved command", delta(8, 1, 0), "DIFF_DOES_NOT_APPLY"],
    ["nothing", Buffer.alloc(0), "DIFF_DOES_NOT_APPLY"],
  ])("is refused with a delta of %s", async (_, bytes, code) => {
    await expectRefused({ f: BEFORE }, patch(BEFORE, Buffer.from("A"), withDelta(bytes)), code);
  });

  it("is refused after a header that says nothing of the file", async () => {
    await expectRefused(
      { f: BEFORE },
      lines("GIT binary patch", "literal 0", "HcmV?d00001", ""),
      "DIFF_BINARY_UNSUPPORTED",
    );
  });
});

/** Base 85 written anew from git's base85.c: lines of up to 52 bytes, each with its length as a letter. */
function base85(compressed: Buffer): string {
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
  const rows: string[] = [];
  for (let start = 0; start < compressed.length; start += 52) {
    const row = compressed.subarray(start, start + 52);
    const padded = Buffer.concat([row, Buffer.alloc(3)]);
    let text = String.fromCharCode(row.length <= 26 ? 64 + row.length : 70 + row.length);
    for (let at = 0; at < row.length; at += 4) {
      const value = padded.readUInt32BE(at);
      for (let place = 4; place >= 0; place--) text += alphabet.charAt(Math.floor(value / 85 ** place) % 85);
    }
    rows.push(text);
  }
  return rows.join("\n");
}
