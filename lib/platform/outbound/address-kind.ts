import { BlockList, isIP } from "node:net";

/** `other`: private, link-local, metadata, shared, multicast, reserved, or an IPv4 address inside of an IPv6 one. */
export type AddressKind = "public" | "loopback" | "other";

/**
 * Classifies an address by the IANA special-purpose registries (RFC 6890). Of IPv6 only 2000::/3 without its special
 * ranges is public, which excludes mapped and translated (::ffff:0:0/96, 64:ff9b::/96), local and multicast addresses.
 */
export function addressKind(address: string): AddressKind {
  switch (isIP(address)) {
    case 4:
      if (loopbackIpv4.check(address, "ipv4")) return "loopback";
      return specialIpv4.check(address, "ipv4") ? "other" : "public";
    case 6:
      if (address.includes("%")) return "other"; // a zone index is valid on this machine only
      if (loopbackIpv6.check(address, "ipv6")) return "loopback";
      return globalIpv6.check(address, "ipv6") && !specialIpv6.check(address, "ipv6") ? "public" : "other";
    default:
      return "other";
  }
}

const loopbackIpv4 = subnets("ipv4", ["127.0.0.0/8"]);
const loopbackIpv6 = subnets("ipv6", ["::1/128"]);
const specialIpv4 = subnets("ipv4", [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
]);
const globalIpv6 = subnets("ipv6", ["2000::/3"]);
const specialIpv6 = subnets("ipv6", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);

function subnets(family: "ipv4" | "ipv6", ranges: string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", bits] = range.split("/");
    list.addSubnet(network, Number(bits), family);
  }
  return list;
}
