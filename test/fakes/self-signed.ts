import { generateKeyPairSync, sign } from "node:crypto";

const DAY_MS = 86_400_000;

/** ASN.1, distinguished encoding: https://www.itu.int/rec/T-REC-X.690 */
function der(tag: number, ...contents: (Buffer | string)[]): Buffer {
  const content = Buffer.concat(
    contents.map((part) => (typeof part === "string" ? Buffer.from(part) : part)),
  );
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
const [SEQUENCE, SET, INTEGER, BITS, OCTETS, OBJECT, UTF8, TIME] = [0x30, 0x31, 2, 3, 4, 6, 12, 24];
const id = (hex: string) => der(OBJECT, Buffer.from(hex, "hex"));
const ECDSA_WITH_SHA256 = der(SEQUENCE, id("2a8648ce3d040302"));
const COMMON_NAME = id("550403");
const ALTERNATIVE_NAMES = id("551d11");
const BASIC_CONSTRAINTS = id("551d13");

/** A key and a certificate for some names, made anew and good for a day. https://www.rfc-editor.org/rfc/rfc5280 */
export function selfSigned(names: string[], addresses: string[]): { key: string; certificate: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const time = (ms: number) => der(TIME, `${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "")}`);
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, names[0] ?? ""))));
  const alternatives = der(
    SEQUENCE,
    ...names.map((each) => der(0x82, each)),
    ...addresses.map((each) => der(0x87, Buffer.from(each.split(".").map(Number)))),
  );
  const authority = der(SEQUENCE, der(1, Buffer.from([0xff])));
  const extensions = [
    der(SEQUENCE, BASIC_CONSTRAINTS, der(OCTETS, authority)),
    der(SEQUENCE, ALTERNATIVE_NAMES, der(OCTETS, alternatives)),
  ];
  const body = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    name,
    der(SEQUENCE, time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(SEQUENCE, ...extensions)),
  );
  const signature = der(BITS, Buffer.from([0]), sign("sha256", body, privateKey));
  const text = der(SEQUENCE, body, ECDSA_WITH_SHA256, signature).toString("base64");
  const lines = text.match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
}
