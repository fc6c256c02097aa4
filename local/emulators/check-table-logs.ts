import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
/** The polynomial of CRC-32C, bits reversed: https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4 */
const CASTAGNOLI = 0x82f63b78;

const crc_of_byte = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1;
  return crc;
});

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc_of_byte[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** The form in which LevelDB stores a checksum. */
const masked = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

/**
 * Finds a log of LevelDB with a damaged record in it, whose path it returns. LevelDB itself drops such records when it
 * opens, and the tasks in them, without a word. A record that the end of the file cuts off is no damage: the process was
 * killed while it wrote it, before anybody was told that it was written.
 *
 * The format: https://github.com/google/leveldb/blob/main/doc/log_format.md
 */
export function findDamagedLog(directory: string): string | undefined {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".log"))
    .map((name) => join(directory, name))
    .find((file) => !isSound(readFileSync(file)));
}

function isSound(log: Buffer): boolean {
  for (let at = 0; at < log.length; ) {
    const left_in_block = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left_in_block < HEADER_BYTES) {
      at += left_in_block; // padding
      continue;
    }
    if (log.length - at < HEADER_BYTES) return true;
    const bytes = log.readUInt16LE(at + 4);
    const end = at + HEADER_BYTES + bytes;
    if (HEADER_BYTES + bytes > left_in_block) return false;
    if (end > log.length) return true;
    if (masked(crc32c(log.subarray(at + 6, end))) !== log.readUInt32LE(at)) return isZero(log.subarray(at));
    at = end;
  }
  return true;
}

/** Space that was reserved and never written. */
const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
