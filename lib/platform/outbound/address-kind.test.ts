import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { addressKind } from "#lib/platform/outbound/address-kind.ts";

describe("an address", () => {
  it.each([
    "140.82.112.3",
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.0",
    "223.255.255.255",
    "2606:50c0:8000::154",
  ])("%s is public", (address) => expect(addressKind(address)).toBe("public"));

  it.each(["127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1"])("%s is this machine", (address) =>
    expect(addressKind(address)).toBe("loopback"),
  );

  it.each([
    ["this network", "0.0.0.0"],
    ["private", "10.1.2.3"],
    ["private", "172.16.0.1"],
    ["private", "172.31.255.255"],
    ["private", "192.168.0.1"],
    ["carrier-grade NAT", "100.64.0.1"],
    ["carrier-grade NAT", "100.127.255.255"],
    ["link-local", "169.254.0.1"],
    ["metadata of AWS, Azure, Google", "169.254.169.254"],
    ["metadata of ECS tasks", "169.254.170.2"],
    ["metadata of Alibaba", "100.100.100.200"],
    ["IETF assignments and Oracle's metadata", "192.0.0.192"],
    ["documentation", "192.0.2.1"],
    ["documentation", "198.51.100.1"],
    ["documentation", "203.0.113.1"],
    ["6to4 relays", "192.88.99.1"],
    ["benchmarking", "198.18.0.1"],
    ["multicast", "224.0.0.1"],
    ["reserved", "240.0.0.1"],
    ["broadcast", "255.255.255.255"],
    ["unspecified", "::"],
    ["IPv4-mapped, dotted", "::ffff:10.0.0.1"],
    ["IPv4-mapped loopback", "::ffff:127.0.0.1"],
    ["IPv4-mapped, hexadecimal", "::ffff:a9fe:a9fe"],
    ["IPv4-mapped and public", "::ffff:140.82.112.3"],
    ["IPv4-compatible", "::10.0.0.1"],
    ["IPv4-translated", "::ffff:0:10.0.0.1"],
    ["NAT64", "64:ff9b::a00:1"],
    ["NAT64 of the local network", "64:ff9b:1::a00:1"],
    ["6to4", "2002:a00:1::1"],
    ["Teredo", "2001::1"],
    ["ORCHID", "2001:20::1"],
    ["documentation", "2001:db8::1"],
    ["documentation", "3fff::1"],
    ["discard", "100::1"],
    ["segment routing", "5f00::1"],
    ["unique local", "fc00::1"],
    ["metadata of AWS over IPv6", "fd00:ec2::254"],
    ["link-local", "fe80::1"],
    ["link-local with a zone", "fe80::1%eth0"],
    ["a public one with a zone", "2606:50c0:8000::154%1"],
    ["site-local", "fec0::1"],
    ["multicast", "ff02::1"],
    ["no address", "localhost"],
    ["no address", "2130706433"],
    ["nothing", ""],
  ])("that is %s (%s) is neither", (_what, address) => expect(addressKind(address)).toBe("other"));

  it("is public only if another library takes it for an ordinary one too", () => {
    const parts = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 255 })));
    const near = fc.constantFrom(
      "10",
      "100.64",
      "127",
      "169.254",
      "172.16",
      "192.0.0",
      "192.168",
      "198.18",
      "224",
    );
    const v4 = fc.oneof(
      parts.map((bytes) => bytes.join(".")),
      fc.tuple(near, parts).map(([prefix, bytes]) => {
        return [...prefix.split("."), ...bytes].slice(0, 4).join(".");
      }),
    );
    fc.assert(
      fc.property(fc.oneof(v4, fc.ipV6()), (address) => {
        fc.pre(ipaddr.isValid(address));
        const range = ipaddr.parse(address).range();
        if (addressKind(address) === "public") expect([address, range]).toEqual([address, "unicast"]);
        if (range === "loopback") expect(addressKind(address)).toBe("loopback");
      }),
      { numRuns: 5000 },
    );
  });
});
