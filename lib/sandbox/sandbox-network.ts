import type { Server } from "node:net";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import { type EgressProxy, egressProxy } from "#lib/sandbox/egress/egress-proxy.ts";
import { egressRules } from "#lib/sandbox/egress/egress-rules.ts";
import type { Traffic } from "#lib/sandbox/egress/traffic.ts";
import { listenInside } from "#lib/sandbox/listen-inside.ts";
import { countNetworkAttempts, processInside } from "#lib/sandbox/network-attempts.ts";
import { type NpmRegistry, npmRegistry } from "#lib/sandbox/npm-registry.ts";
import type { ProcessSample } from "#lib/sandbox/process-table.ts";
import type { SandboxBackend } from "#lib/sandbox/sandbox-backend.ts";
import { SandboxUnavailable } from "#lib/sandbox/sandbox-unavailable.ts";
import type { Volume } from "#lib/sandbox/volume.ts";
import type { LimitHit, NetworkUse } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/** What a command has of the network, and evidence of what it wanted beyond that. */
export interface SandboxNetwork {
  /** How programs inside find it. */
  environment: Record<string, string>;
  /**
   * Call it once, when the sandbox stands and before the command begins; `exceed` is called when a
   * total is beyond bounds. A promise where there is something to wait for, rejecting with SandboxUnavailable.
   */
  attach(members: readonly ProcessSample[], exceed: (hit: LimitHit) => void): Promise<void> | undefined;
  /** Ends it. `denied` is evidence that the command wanted more. */
  close(): { use: NetworkUse | null; denied: LimitHit | null };
}

/** The namespace is the command's own, so the port is free. */
const PORT = 3128;

/**
 * Nothing, or what a filtering proxy of this worker lets through. Where the network cannot be taken
 * away (reduced isolation) there is no proxy either: the report says that it was not enforced.
 * Throws SandboxUnavailable.
 */
export async function sandboxNetwork(
  { network }: SandboxProfile,
  volume: Volume,
  backend: SandboxBackend,
  lookup?: Lookup,
): Promise<SandboxNetwork> {
  const attempts = countNetworkAttempts();
  const registry = network.mode === "allow" && network.npm_registry ? await npmRegistry() : null;
  if (network.mode === "none" || backend.not_enforced.includes("network")) {
    // npm tries again for over a minute, which without a network is in vain.
    const none = network.mode === "none" && !backend.not_enforced.includes("network");
    return {
      environment: {
        ...(registry && npmEnvironment(registry)),
        ...(none && { npm_config_fetch_retries: "0" }),
      },
      attach: (members) => void attempts.attach(members),
      close: () => ({ use: null, denied: attempts.close() }),
    };
  }
  const rules = egressRules(network, registry?.url ?? null);
  let proxy: EgressProxy | null = null;
  let server: Server | null = null;
  return {
    environment: { ...proxyEnvironment(), ...(registry && npmEnvironment(registry)) },
    async attach(members, exceed) {
      attempts.attach(members);
      const inside = processInside(members);
      if (!inside || !volume.namespace) throw new SandboxUnavailable("the sandbox has no network of its own");
      const onExcess = (traffic: Traffic) => exceed(excess(traffic, network.bytes_max));
      proxy = egressProxy({ rules, onExcess, lookup });
      server = await listenInside(inside.pid, PORT, volume.namespace);
      server.on("connection", proxy.accept);
    },
    close() {
      server?.close();
      proxy?.close();
      const unrouted = attempts.close();
      if (!proxy) return { use: null, denied: unrouted };
      return { use: proxy.traffic.use(), denied: refusals(proxy.traffic) ?? unrouted };
    },
  };
}

/** https://docs.npmjs.com/cli/using-npm/config: what npm does for people, a build does without. */
function npmEnvironment({ url, certificates }: NpmRegistry): Record<string, string> {
  return {
    npm_config_registry: url.href,
    ...(certificates && { npm_config_cafile: certificates }),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
  };
}

function proxyEnvironment(): Record<string, string> {
  const proxy = `http://127.0.0.1:${PORT}`;
  const itself = "localhost,127.0.0.1,::1";
  return {
    ...{ HTTPS_PROXY: proxy, https_proxy: proxy, HTTP_PROXY: proxy, http_proxy: proxy },
    ...{ NO_PROXY: itself, no_proxy: itself, NODE_USE_ENV_PROXY: "1" },
  };
}

function refusals(traffic: Traffic): LimitHit | null {
  const { denied } = traffic.use();
  if (denied.length === 0) return null;
  const refused = traffic.denials();
  return {
    code: "SANDBOX_NETWORK_DENIED",
    limit: 0,
    observed: refused,
    evidence: `the filtering proxy refused ${denied.map(refusal).join(", ")}: ${refused} ${refused === 1 ? "connection" : "connections"} in all`,
  };
}

function refusal({ host, port, why, address }: NetworkUse["denied"][number]): string {
  const named = `${host ?? "a connection without a host"}${port === null ? "" : `:${port}`}`;
  if (why !== "address_not_allowed") return `${named} (${why})`;
  return `${named} (${why}: it has the address ${address}, which is not public; private_hosts of the profile can allow it)`;
}

function excess(traffic: Traffic, bytes_max: number): LimitHit {
  if (traffic.bytes() <= bytes_max) return refusals(traffic) as LimitHit;
  return {
    code: "SANDBOX_NETWORK_DENIED",
    limit: bytes_max,
    observed: traffic.bytes(),
    evidence: `${traffic.bytes()} bytes went through the filtering proxy, of ${bytes_max} allowed`,
  };
}
