import { lookup as dnsLookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { RejectedInput, RetryableFault } from "#lib/errors/fault.ts";

type Lookup = (host: string) => Promise<{ address: string }[]>;

const resolveAll: Lookup = (host) => dnsLookup(host, { all: true, verbatim: true });

/**
 * The addresses of a host, every one of them public. A caller that connects must connect to one of
 * these and not resolve the name again, or the name could answer differently the second time.
 *
 * @throws RejectedInput `GIT_HOST_FORBIDDEN` when any address is private, loopback, link-local or
 * otherwise not routed on the internet (IANA special-purpose registries, RFC 6890);
 * `GIT_REPOSITORY_REFUSED` when the host does not exist; RetryableFault
 * `GIT_REPOSITORY_UNREACHABLE` when the name server gave no answer.
 */
export async function publicAddresses(hostname: string, lookup: Lookup = resolveAll): Promise<string[]> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) === 0 ? await resolve(host, lookup) : [host];
  for (const address of addresses) if (!isPublic(address)) throw forbidden(host, address);
  return addresses;
}

async function resolve(host: string, lookup: Lookup): Promise<string[]> {
  try {
    const found = await lookup(host);
    if (found.length > 0) return found.map(({ address }) => address);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (code !== "ENOTFOUND" && code !== "ENODATA") {
      throw new RetryableFault("GIT_REPOSITORY_UNREACHABLE", `The name ${host} could not be resolved now.`, {
        cause,
      });
    }
  }
  throw new RejectedInput(
    "GIT_REPOSITORY_REFUSED",
    `There is no host named ${host}. Check the git source's URL.`,
  );
}

function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !specialIpv4.check(address, "ipv4");
  // Only 2000::/3 is routed, so mapped, translated, local and multicast addresses all fall out.
  return globalIpv6.check(address, "ipv6") && !specialIpv6.check(address, "ipv6");
}

const specialIpv4 = subnets("ipv4", [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
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

function forbidden(host: string, address: string): RejectedInput {
  return new RejectedInput(
    "GIT_HOST_FORBIDDEN",
    `${host} resolves to ${address}, which is not a public address. Name a repository on a public host, or pack the tree and upload it.`,
  );
}
