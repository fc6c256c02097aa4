/** What the first bytes of a connection say. */
export type FirstFlight =
  /** Too few bytes to tell. */
  | { kind: "incomplete" }
  | { kind: "not_tls" }
  /** `server_name` is lower case; null when the client names no server. */
  | { kind: "client_hello"; server_name: string | null };

const RECORD_HEADER_BYTES = 5;
const RECORD_BYTES_MAX = 16_384;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/**
 * Reads the server's name from a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3). A ClientHello in pieces
 * over several records counts as no TLS: no honest client does that, and servers may read it differently.
 */
export function readFirstFlight(bytes: Buffer): FirstFlight {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE) return { kind: "not_tls" };
  if (bytes.length < RECORD_HEADER_BYTES) return { kind: "incomplete" };
  const record_bytes = bytes.readUInt16BE(3);
  if (bytes[1] !== 3 || record_bytes < 4 || record_bytes > RECORD_BYTES_MAX) return { kind: "not_tls" };
  if (bytes.length < RECORD_HEADER_BYTES + record_bytes) return { kind: "incomplete" };
  const record = bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + record_bytes);
  if (record[0] !== CLIENT_HELLO || record.readUIntBE(1, 3) !== record_bytes - 4) return { kind: "not_tls" };
  try {
    return { kind: "client_hello", server_name: serverName(reader(record.subarray(4))) };
  } catch {
    return { kind: "not_tls" }; // a length that leads outside
  }
}

function serverName(hello: Reader): string | null {
  hello.take(2 + 32); // version, random
  hello.vector(1); // session
  hello.vector(2); // cipher suites
  hello.vector(1); // compression methods
  if (hello.left() === 0) return null;
  const extensions = reader(hello.vector(2));
  let found: string | null = null;
  while (extensions.left() > 0) {
    const type = extensions.take(2).readUInt16BE();
    const body = extensions.vector(2);
    if (type !== SERVER_NAME) continue;
    const names = reader(reader(body).vector(2));
    const name_type = names.take(1)[0];
    const name = names.vector(2).toString("latin1").toLowerCase();
    if (found !== null || name_type !== HOST_NAME || names.left() > 0) throw new Error("more than one name");
    found = name;
  }
  return found;
}

interface Reader {
  take(bytes: number): Buffer;
  /** What a length of that many bytes in front says. */
  vector(length_bytes: 1 | 2): Buffer;
  left(): number;
}

function reader(bytes: Buffer): Reader {
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw new RangeError("beyond the end");
    at += length;
    return bytes.subarray(at - length, at);
  };
  return {
    take,
    vector: (length_bytes) => take(take(length_bytes).readUIntBE(0, length_bytes)),
    left: () => bytes.length - at,
  };
}
