import { readSync, writeSync } from "node:fs";
import { deserialize, serialize } from "node:v8";

/** A frame is the payload's length (uint32, big-endian), then the payload. */
const HEADER_BYTES = 4;

/** A value as a frame. */
export function frameOf(value: unknown): { header: Buffer; payload: Buffer } {
  const payload = serialize(value);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(payload.length);
  return { header, payload };
}

/** The announced length of a frame exceeds the limit. */
export class FrameTooLong extends Error {}

/** Puts frames together from the pieces a pipe delivers them in. */
export class FrameReader {
  readonly #pieces: Buffer[] = [];
  #held = 0;
  #length: number | undefined;

  /**
   * Returns the value of the frame that `piece` completes, else undefined.
   *
   * @throws FrameTooLong as soon as the length is known, before the payload is held
   */
  accept(piece: Buffer, bytes_max: number): { value: unknown } | undefined {
    this.#pieces.push(piece);
    this.#held += piece.length;
    if (this.#length === undefined) {
      if (this.#held < HEADER_BYTES) return undefined;
      this.#length = this.#joined().readUInt32BE(0);
      if (this.#length > bytes_max) throw new FrameTooLong(`a frame of ${this.#length} bytes was announced`);
    }
    const end = HEADER_BYTES + this.#length;
    if (this.#held < end) return undefined;
    const all = this.#joined();
    this.#pieces.splice(0, this.#pieces.length, all.subarray(end));
    this.#held = all.length - end;
    this.#length = undefined;
    return { value: deserialize(all.subarray(HEADER_BYTES, end)) };
  }

  #joined(): Buffer {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first !== undefined) return first;
    const all = Buffer.concat(this.#pieces);
    this.#pieces.splice(0, this.#pieces.length, all);
    return all;
  }
}

/** Reads one frame from a blocking descriptor; undefined at the end of the file. */
export function readFrame(descriptor: number): { value: unknown } | undefined {
  const header = readExactly(descriptor, HEADER_BYTES);
  const payload = header && readExactly(descriptor, header.readUInt32BE(0));
  return payload && { value: deserialize(payload) };
}

function readExactly(descriptor: number, bytes: number): Buffer | undefined {
  const buffer = Buffer.alloc(bytes);
  for (let filled = 0; filled < bytes; ) {
    const read = readSync(descriptor, buffer, filled, bytes - filled, null);
    if (read === 0) return undefined;
    filled += read;
  }
  return buffer;
}

/** Writes one frame to a blocking descriptor. */
export function writeFrame(descriptor: number, { header, payload }: ReturnType<typeof frameOf>): void {
  for (const part of [header, payload]) {
    for (let written = 0; written < part.length; ) written += writeSync(descriptor, part, written);
  }
}
