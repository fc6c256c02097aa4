import { describe, expect, it } from "vitest";
import { publicAddresses } from "#lib/source/public-host.ts";

const answering =
  (...addresses: string[]) =>
  async () =>
    addresses.map((address) => ({ address }));

const failing = (code: string) => async () => {
  throw Object.assign(new Error(code), { code });
};

describe("publicAddresses", () => {
  it("gives every address of a public host", async () => {
    const lookup = answering("140.82.112.3", "2606:50c0:8000::154");
    expect(await publicAddresses("example.org", lookup)).toEqual(["140.82.112.3", "2606:50c0:8000::154"]);
    expect(await publicAddresses("[2606:50c0:8000::154]")).toEqual(["2606:50c0:8000::154"]);
  });

  it.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.31.255.255",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
  ])("forbids %s, alone or beside a public address", async (address) => {
    await expect(publicAddresses(address)).rejects.toMatchObject({ code: "GIT_HOST_FORBIDDEN" });
    const lookup = answering("140.82.112.3", address);
    await expect(publicAddresses("example.org", lookup)).rejects.toMatchObject({
      code: "GIT_HOST_FORBIDDEN",
    });
  });

  it("refuses a host that does not exist, and retries when the name server is silent", async () => {
    for (const lookup of [failing("ENOTFOUND"), answering()]) {
      await expect(publicAddresses("example.org", lookup)).rejects.toMatchObject({
        code: "GIT_REPOSITORY_REFUSED",
        disposition: "reject",
      });
    }
    await expect(publicAddresses("example.org", failing("EAI_AGAIN"))).rejects.toMatchObject({
      code: "GIT_REPOSITORY_UNREACHABLE",
      disposition: "retry",
    });
  });
});
