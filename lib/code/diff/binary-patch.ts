import { deflateSync, inflateSync } from "node:zlib";
import { type BinaryHunk, doesNotApply, malformed, objectId, tooLarge } from "#lib/code/diff/file-diff.ts";
import type { DiffCursor } from "#lib/code/diff/parse-hunks.ts";

/** What one binary hunk may hold when it is decompressed, and what it may make of a file. */
export const BINARY_BYTES_MAX = 64 * 1024 * 1024;
/** A line of git's binary patch carries up to 52 bytes, and says how many by its first letter. */
const LINE_BYTES_MAX = 52;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const DIGITS = new Int16Array(256).fill(-1);
for (const [value, character] of [...ALPHABET].entries()) DIGITS[character.charCodeAt(0)] = value;

/**
 * Reads what follows `GIT binary patch`: a hunk that leads forward and maybe one that leads back,
 * each ended by an empty line (git's `Documentation/gitformat-diff`, `apply.c` and `base85.c`).
 * The data stays compressed; `applyBinary` checks it.
 *
 * @throws RejectedInput `DIFF_MALFORMED`, `DIFF_TOO_LARGE`
 */
export function parseBinary(cursor: DiffCursor): { forward: BinaryHunk; reverse?: BinaryHunk } {
  cursor.index += 1;
  const forward = parseBinaryHunk(cursor);
  if (forward === undefined) {
    throw malformed(
      cursor.index + 1,
      "`GIT binary patch` is not followed by `literal <size>` or `delta <size>`",
    );
  }
  const reverse = parseBinaryHunk(cursor);
  return { forward, ...(reverse ? { reverse } : {}) };
}

function parseBinaryHunk(cursor: DiffCursor): BinaryHunk | undefined {
  const [, method, size] = /^(literal|delta) (\d{1,15})$/.exec(cursor.lines[cursor.index] ?? "") ?? [];
  if (method === undefined) return undefined;
  const bytes_count = Number(size);
  if (bytes_count > BINARY_BYTES_MAX) {
    throw tooLarge(
      `Line ${cursor.index + 1} of the diff: a binary file of ${size} bytes is over the limit of ${BINARY_BYTES_MAX}`,
    );
  }
  const pieces: Buffer[] = [];
  for (cursor.index += 1; cursor.lines[cursor.index]; cursor.index += 1) {
    pieces.push(decodeLine(cursor.lines[cursor.index] ?? "", cursor.index + 1));
  }
  if (cursor.lines[cursor.index] === undefined) {
    throw malformed(cursor.index, "the binary data is not ended by an empty line: the diff is cut off");
  }
  cursor.index += 1;
  return { method: method as BinaryHunk["method"], bytes_count, compressed: Buffer.concat(pieces) };
}

function decodeLine(text: string, line: number): Buffer {
  const letter = text.charCodeAt(0);
  const is_upper = letter >= 65 && letter <= 90;
  const count = is_upper ? letter - 64 : letter - 96 + 26;
  const groups = Math.ceil(count / 4);
  if (!/^[A-Za-z]/.test(text) || text.length !== 1 + groups * 5) {
    throw malformed(line, "the binary data's line has another length than its first letter says");
  }
  const bytes = Buffer.alloc(groups * 4);
  for (let group = 0; group < groups; group++) {
    let value = 0;
    for (let place = 1; place <= 5; place++) {
      const digit = DIGITS[text.charCodeAt(group * 5 + place)] ?? -1;
      if (digit < 0) throw malformed(line, "the binary data has a character that is not of base 85");
      value = value * 85 + digit;
    }
    if (value > 0xffffffff) throw malformed(line, "the binary data is not base 85");
    bytes.writeUInt32BE(value, group * 4);
  }
  return bytes.subarray(0, count);
}

/**
 * A file's bytes after a binary diff. `index` is the header's `<id>..<id>`; both ids must be whole,
 * and the bytes before and after must have them.
 *
 * @throws RejectedInput `DIFF_DOES_NOT_APPLY`, `DIFF_TOO_LARGE`
 */
export function applyBinary(
  before: Buffer | undefined,
  { forward, reverse }: { forward: BinaryHunk; reverse?: BinaryHunk },
  { path, index }: { path: string; index: string | undefined },
): Buffer {
  const [, before_id = "", after_id = ""] = /^([0-9a-f]{40})\.\.([0-9a-f]{40})$/.exec(index ?? "") ?? [];
  if (before_id === "") {
    throw doesNotApply(
      path,
      "a binary diff needs whole object ids in its `index` line, as `git diff --binary` writes them",
    );
  }
  const found_id = before === undefined ? undefined : objectId(before);
  const is_absent = /^0+$/.test(before_id) && (before === undefined || before.length === 0);
  if (!is_absent && found_id !== before_id) {
    throw doesNotApply(
      path,
      `the binary diff is of object ${before_id}, but the tree has ${found_id ?? "no such file"}`,
    );
  }
  const data = inflate(forward, path);
  // The way back is not used, but damage to it shows that the diff was damaged.
  if (reverse !== undefined) inflate(reverse, path);
  if (/^0+$/.test(after_id)) return Buffer.alloc(0);
  const after = forward.method === "literal" ? data : applyDelta(before ?? Buffer.alloc(0), data, path);
  if (objectId(after) !== after_id) {
    throw doesNotApply(
      path,
      `the binary diff gives object ${objectId(after)}, not ${after_id} as its header says`,
    );
  }
  return after;
}

function inflate({ bytes_count, compressed }: BinaryHunk, path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = inflateSync(compressed, { maxOutputLength: Math.max(1, bytes_count) });
  } catch {
    throw doesNotApply(path, `the binary data cannot be decompressed into ${bytes_count} bytes`);
  }
  if (bytes.length === bytes_count) return bytes;
  throw doesNotApply(path, `the binary data has ${bytes.length} bytes, not ${bytes_count} as stated`);
}

/** Applies git's delta (`gitformat-pack`, "Deltified representation"). */
function applyDelta(before: Buffer, delta: Buffer, path: string): Buffer {
  const broken = () => doesNotApply(path, "the binary delta is broken");
  let position = 0;
  const take = () => {
    const byte = delta[position++];
    if (byte === undefined) throw broken();
    return byte;
  };
  const size = () => {
    let value = 0;
    let scale = 1;
    for (let byte = 0x80; byte >= 0x80; scale *= 128) {
      if (scale > 2 ** 42) throw broken();
      byte = take();
      value += (byte & 0x7f) * scale;
    }
    return value;
  };
  if (size() !== before.length) throw doesNotApply(path, "the binary delta is of a file of another size");
  const after_bytes = size();
  if (after_bytes > BINARY_BYTES_MAX) {
    throw tooLarge(`${path}: a binary file of ${after_bytes} bytes is over the limit of ${BINARY_BYTES_MAX}`);
  }
  const after = Buffer.alloc(after_bytes);
  let written = 0;
  while (position < delta.length) {
    const command = take();
    if (command === 0) throw broken();
    let source = delta;
    let from = position;
    let count = command;
    if (command & 0x80) {
      const part = (bit: number, scale: number) => (command & bit ? take() * scale : 0);
      source = before;
      from = part(1, 1) + part(2, 2 ** 8) + part(4, 2 ** 16) + part(8, 2 ** 24);
      count = part(0x10, 1) + part(0x20, 2 ** 8) + part(0x40, 2 ** 16) || 0x10000;
    } else position += command;
    if (from + count > source.length || written + count > after_bytes) throw broken();
    source.copy(after, written, from, from + count);
    written += count;
  }
  if (written !== after_bytes) throw broken();
  return after;
}

/** A change of bytes as git writes it, in both directions, each as a `literal`. */
export function formatBinary(before: Buffer, after: Buffer): string {
  return `GIT binary patch\n${formatLiteral(after)}\n${formatLiteral(before)}\n`;
}

function formatLiteral(bytes: Buffer): string {
  const compressed = deflateSync(bytes);
  const lines = [`literal ${bytes.length}\n`];
  for (let start = 0; start < compressed.length; start += LINE_BYTES_MAX) {
    lines.push(encodeLine(compressed.subarray(start, start + LINE_BYTES_MAX)));
  }
  return lines.join("");
}

function encodeLine(bytes: Buffer): string {
  const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
  bytes.copy(padded);
  let text = String.fromCharCode(bytes.length <= 26 ? 64 + bytes.length : 96 + bytes.length - 26);
  for (let start = 0; start < padded.length; start += 4) {
    let value = padded.readUInt32BE(start);
    const group: string[] = [];
    for (let place = 0; place < 5; place++) {
      group.unshift(ALPHABET.charAt(value % 85));
      value = Math.floor(value / 85);
    }
    text += group.join("");
  }
  return `${text}\n`;
}
