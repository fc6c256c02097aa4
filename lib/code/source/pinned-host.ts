import { demandPinning } from "#lib/code/source/git-version.ts";
import type { SourcePorts } from "#lib/code/source/source-ports.ts";
import { RejectedInput, RetryableFault } from "#lib/platform/errors/fault.ts";
import { addressOf, resolveHost } from "#lib/platform/outbound/resolve-host.ts";

/**
 * Configuration by which git connects to the very addresses that were checked, whatever the name says
 * by then.
 *
 * @throws RejectedInput `GIT_HOST_FORBIDDEN` when any address is not allowed, `GIT_REPOSITORY_REFUSED`
 * when the host does not exist; RetryableFault `GIT_REPOSITORY_UNREACHABLE` when the name server gave
 * no answer; TerminalFault `GIT_UNAVAILABLE` when git is too old to be held to an address
 */
export async function pinnedHost(url: URL, ports: SourcePorts): Promise<string[]> {
  const { hostname: host } = url;
  const resolved = await resolveHost(host, ports.outbound, ports.lookup);
  switch (resolved.kind) {
    case "addresses":
      return addressOf(host) === undefined ? pinTo(url, resolved.addresses, ports) : [];
    case "forbidden":
      throw new RejectedInput(
        "GIT_HOST_FORBIDDEN",
        `${host} leads to an address that is not public. Name a repository on a public host, or pack the tree and upload it.`,
      );
    case "unknown":
      throw new RejectedInput(
        "GIT_REPOSITORY_REFUSED",
        `There is no host named ${host}. Check the git source's URL.`,
      );
    case "unanswered":
      throw new RetryableFault(
        "GIT_REPOSITORY_UNREACHABLE",
        `The name ${host} could not be resolved now. It is tried again.`,
        { cause: resolved.cause },
      );
  }
}

async function pinTo(
  { hostname, port, protocol }: URL,
  addresses: string[],
  ports: SourcePorts,
): Promise<string[]> {
  await demandPinning(ports);
  const targets = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  const effective_port = port || (protocol === "https:" ? "443" : "80");
  return [`http.curloptResolve=${hostname}:${effective_port}:${targets.join(",")}`];
}
