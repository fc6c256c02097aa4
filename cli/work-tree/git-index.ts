import { existsSync, readFileSync } from "node:fs";
import { UsageError } from "../cli-error.ts";

const SIGNATURE = "DIRC";
const HEADER_BYTES = 12;
/** Of an entry before its object id: times, device, inode, mode, owner, size. */
const STAT_BYTES = 40;
const EXTENDED = 0x4000;
/** Object ids by SHA-1, then by SHA-256: the file itself does not say which. */
const ID_BYTES = [20, 32];

/**
 * The paths that git tracks in a work tree, read from its index, so that git itself need not run. Nothing is
 * done with them but to compare: they may say anything.
 * https://git-scm.com/docs/index-format
 *
 * @throws UsageError when there is an index that cannot be read
 */
export function trackedPaths(index_file: string): Set<string> {
  if (!existsSync(index_file)) return new Set();
  const bytes = readFileSync(index_file);
  for (const id_bytes of ID_BYTES) {
    try {
      return entriesOf(bytes, id_bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new UsageError(
    `The git index ${index_file} cannot be read.`,
    "`git update-index --no-split-index` writes it in one file; or give a .tar.gz of the directory.",
  );
}

/** @throws RangeError when the index is not as described for object ids of this length */
function entriesOf(bytes: Buffer, id_bytes: number): Set<string> {
  const version = bytes.readUInt32BE(4);
  if (bytes.toString("latin1", 0, 4) !== SIGNATURE || version < 2 || version > 4) {
    throw new RangeError("no git index");
  }
  const paths = new Set<string>();
  let at = HEADER_BYTES;
  let path = Buffer.alloc(0);
  for (let left = bytes.readUInt32BE(8); left > 0; left -= 1) {
    const flags_at = at + STAT_BYTES + id_bytes;
    const extended = version > 2 && (bytes.readUInt16BE(flags_at) & EXTENDED) !== 0;
    let begins = flags_at + (extended ? 4 : 2);
    let kept = Buffer.alloc(0);
    if (version === 4) {
      const dropped = offsetAt(bytes, begins);
      begins = dropped.end;
      if (dropped.value > path.length) throw new RangeError("a prefix that is longer than its path");
      kept = path.subarray(0, path.length - dropped.value);
    }
    const ends = bytes.indexOf(0, begins);
    if (ends < 0) throw new RangeError("a path without an end");
    path = Buffer.concat([kept, bytes.subarray(begins, ends)]);
    paths.add(path.toString("utf8"));
    // Up to version 3 an entry is filled with 1 to 8 zeros to a multiple of eight bytes.
    at = version === 4 ? ends + 1 : at + (Math.floor((ends - at) / 8) + 1) * 8;
  }
  checkExtensions(bytes, at, id_bytes);
  return paths;
}

/** Git's variable-width number of version 4, as the offsets in its packs. */
function offsetAt(bytes: Buffer, start: number): { value: number; end: number } {
  let at = start;
  let byte = bytes.readUInt8(at);
  let value = byte & 0x7f;
  while (byte & 0x80) {
    at += 1;
    byte = bytes.readUInt8(at);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, end: at + 1 };
}

/** Every byte up to the checksum belongs to an extension, and none of them holds entries elsewhere. */
function checkExtensions(bytes: Buffer, start: number, id_bytes: number): void {
  const end = bytes.length - id_bytes;
  let at = start;
  while (at < end) {
    const name = bytes.toString("latin1", at, at + 4);
    if (!/^[A-Za-z]{4}$/.test(name) || name === "link") throw new RangeError(`the extension ${name}`);
    at += 8 + bytes.readUInt32BE(at + 4);
  }
  if (at !== end) throw new RangeError("an extension that goes beyond the end");
}
