import { describe, expect, it } from "vitest";
import { resolveHost } from "#lib/platform/outbound/resolve-host.ts";

const answering =
  (...addresses: string[]) =>
  async () =>
    addresses.map((address) => ({ address }));
const failing = (code: string) => async () => {
  throw Object.assign(new Error(code), { code });
};
const nobody = async () => {
  throw new Error("an address is not looked up");
};
const PUBLIC = { addresses: "public" as const };

describe("a host", () => {
  it("gives every address it has", async () => {
    const addresses = ["140.82.112.3", "2606:50c0:8000::154"];
    expect(await resolveHost("example.org", PUBLIC, answering(...addresses))).toEqual({
      kind: "addresses",
      addresses,
    });
    expect(await resolveHost("[2606:50c0:8000::154]", PUBLIC, nobody)).toEqual({
      kind: "addresses",
      addresses: ["2606:50c0:8000::154"],
    });
  });

  it("is refused for one address that is not allowed, alone or among others", async () => {
    for (const address of ["10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"]) {
      const refused = { kind: "forbidden" };
      expect(await resolveHost(address, PUBLIC, nobody)).toEqual(refused);
      expect(await resolveHost("example.org", PUBLIC, answering("140.82.112.3", address))).toEqual(refused);
    }
  });

  it("of a developer's own machine is allowed where the rules say so, and still no other", async () => {
    const loopback = { addresses: "loopback" as const };
    expect(await resolveHost("localhost", loopback, answering("127.0.0.1", "::1"))).toMatchObject({
      kind: "addresses",
    });
    expect(await resolveHost("169.254.169.254", loopback)).toMatchObject({ kind: "forbidden" });
    expect(await resolveHost("169.254.169.254", { addresses: "any" })).toMatchObject({ kind: "addresses" });
  });

  it("that does not exist is told from a name server that is silent", async () => {
    for (const lookup of [failing("ENOTFOUND"), failing("ENODATA"), answering()]) {
      expect(await resolveHost("example.org", PUBLIC, lookup)).toEqual({ kind: "unknown" });
    }
    expect(await resolveHost("example.org", PUBLIC, failing("EAI_AGAIN"))).toMatchObject({
      kind: "unanswered",
    });
  });
});
