import { unzipSync } from "fflate";
import { expect, it } from "vitest";
import { writeZip } from "./write-zip.ts";

const one = Buffer.from("export const handler = 1;\n".repeat(100));
const two = Buffer.from("{}");

it("makes the same bytes of the same files, in whatever order and wherever they come", () => {
  const zip = writeZip(
    new Map([
      ["a/handler.mjs", one],
      ["b.json", two],
    ]),
  );
  const zone = process.env.TZ;
  process.env.TZ = "Pacific/Auckland";
  const again = writeZip(
    new Map([
      ["b.json", two],
      ["a/handler.mjs", one],
    ]),
  );
  process.env.TZ = zone;
  expect(Buffer.from(again).equals(zip)).toBe(true);
  expect(Buffer.from(writeZip(new Map([["a/handler.mjs", one]]))).equals(zip)).toBe(false);
});

it("holds every file as it was, compressed but for weights", () => {
  const weights = Buffer.alloc(5000);
  const zip = writeZip(
    new Map([
      ["a/handler.mjs", one],
      ["model/x.safetensors", weights],
    ]),
  );
  const found = unzipSync(zip);
  expect(Object.keys(found)).toEqual(["a/handler.mjs", "model/x.safetensors"]);
  expect(Buffer.from(found["a/handler.mjs"]!).equals(one)).toBe(true);
  expect(zip.byteLength).toBeGreaterThan(weights.byteLength);
  expect(zip.byteLength).toBeLessThan(weights.byteLength + one.byteLength / 2);
});
