import { describe, expect, it } from "vitest";
import { egressRules } from "#lib/sandbox/egress/egress-rules.ts";

const PUBLIC = "93.184.216.34";

const rules = egressRules(
  {
    mode: "allow",
    hosts: ["packages.example", "mirror.example:8443"],
    npm_registry: true,
    private_hosts: {
      "own.example:4873": ["10.4.0.0/16", "fd12::/16"],
      "cloud.example": ["0.0.0.0/0", "::/0"],
    },
    bytes_max: 1,
    connections_max: 1,
  },
  new URL("https://registry.example/npm/"),
);

describe("a list of hosts", () => {
  it.each([
    ["packages.example", 443, true],
    ["packages.example", 80, false],
    ["mirror.example", 8443, true],
    ["mirror.example", 443, false],
    ["own.example", 4873, true],
    ["registry.example", 443, true],
    ["registry.example", 80, false],
    ["sub.packages.example", 443, false],
    ["packages.example.", 443, false],
    ["", 443, false],
  ])("lets %s:%i through: %s", (host, port, allowed) => {
    expect(rules.allows(host, port)).toBe(allowed);
  });

  it.each([
    ["packages.example", 443, PUBLIC, true],
    ["packages.example", 443, "2606:50c0:8000::154", true],
    ["packages.example", 443, "10.4.0.1", false],
    ["packages.example", 443, "127.0.0.1", false],
    ["packages.example", 443, "::ffff:10.4.0.1", false],
    ["own.example", 4873, "10.4.255.1", true],
    ["own.example", 4873, "10.5.0.1", false],
    ["own.example", 4873, "fd12::1", true],
    ["own.example", 4873, PUBLIC, true],
    ["own.example", 443, "10.4.255.1", false],
  ])("permits %s:%i at %s: %s", (host, port, address, permitted) => {
    expect(rules.permits(host, port, address)).toBe(permitted);
  });

  it.each([
    "169.254.169.254",
    "169.254.170.2",
    "fd00:ec2::254",
    "fe80::1",
    "100.100.100.200",
    "::ffff:169.254.169.254",
  ])("never permits where a cloud keeps credentials: %s", (address) =>
    expect(rules.permits("cloud.example", 443, address)).toBe(false),
  );
});
