import { gzipSync } from "node:zlib";

export interface RawEntry {
  path: string;
  /** POSIX type flag: 0 file, 1 hard link, 2 symbolic link, 3 character device, 5 directory, 6 FIFO … */
  type?: string;
  linkpath?: string;
  mode?: number;
  body?: string | Buffer;
  /** Written in the header instead of the body's length. */
  size?: number;
}

/** One 512-byte ustar header and its padded body, written by hand so that it can lie. */
export function rawEntry(entry: RawEntry): Buffer {
  const body = Buffer.from(entry.body ?? "");
  const header = Buffer.alloc(512);
  header.write(entry.path, 0, 100, "utf8");
  header.write(`${(entry.mode ?? 0o644).toString(8).padStart(7, "0")}\0`, 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(entry.size ?? body.length).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(entry.type ?? "0", 156);
  header.write(entry.linkpath ?? "", 157, 100, "utf8");
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** A gzipped tar of hand-made entries. */
export function rawArchive(...entries: RawEntry[]): Buffer {
  return gzipSync(Buffer.concat([...entries.map(rawEntry), Buffer.alloc(1024)]));
}
