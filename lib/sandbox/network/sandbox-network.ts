import { once } from "node:events";
import { closeSync, openSync, readlinkSync, readSync } from "node:fs";
import type { Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Lookup } from "#lib/platform/outbound/resolve-host.ts";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { MARKER_NAME, workerMark } from "#lib/platform/processes/worker-mark.ts";
import type { EgressBytes } from "#lib/sandbox/egress/egress-bytes.ts";
import { type EgressProxy, egressProxy } from "#lib/sandbox/egress/egress-proxy.ts";
import { egressRules } from "#lib/sandbox/egress/egress-rules.ts";
import { type NpmRegistry, npmRegistry } from "#lib/sandbox/network/npm-registry.ts";
import type { ProcessSample } from "#lib/sandbox/process/process-table.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import type { Volume } from "#lib/sandbox/volume/volume.ts";
import type { LimitHit, NetworkUse } from "#schemas/artifacts/build-test-report.ts";
import type { SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/** The network of one command, and evidence of connections that it was refused. */
export interface SandboxNetwork {
  /** Variables by which programs inside find the network. */
  environment: Record<string, string>;
  /**
   * Call it once, when the sandbox is ready and before the command begins. `exceed` is called when the command exceeds a
   * total. Returns a promise when there is something to wait for; it may reject with SandboxUnavailable.
   */
  attach(members: readonly ProcessSample[], exceed: (hit: LimitHit) => void): Promise<void> | undefined;
  /** Closes the network. `denied` is evidence of refused connections. */
  close(): { use: NetworkUse | null; denied: LimitHit | null };
}

/** The namespace is the command's own, so the port is free. */
const PORT = 3128;

/**
 * No network, or what a filtering proxy of this worker allows. Under reduced isolation the command has the worker's
 * network and there is no proxy: the report says that the network was not enforced.
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
    // Without a network, the retries of npm would take more than a minute.
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
      const onExcess = (egress_bytes: EgressBytes) => exceed(excess(egress_bytes, network.bytes_max));
      proxy = egressProxy({ rules, onExcess, lookup });
      server = await listenInside(inside.pid, PORT, volume.namespace);
      server.on("connection", proxy.accept);
    },
    close() {
      server?.close();
      proxy?.close();
      const unrouted = attempts.close();
      if (!proxy) return { use: null, denied: unrouted };
      return { use: proxy.egress_bytes.use(), denied: refusals(proxy.egress_bytes) ?? unrouted };
    },
  };
}

/** https://docs.npmjs.com/cli/using-npm/config: a build needs no audit, no funding notes and no update notice. */
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

function refusals(egress_bytes: EgressBytes): LimitHit | null {
  const { denied } = egress_bytes.use();
  if (denied.length === 0) return null;
  const refused = egress_bytes.denials();
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

function excess(egress_bytes: EgressBytes, bytes_max: number): LimitHit {
  if (egress_bytes.bytes() <= bytes_max) return refusals(egress_bytes) as LimitHit;
  return {
    code: "SANDBOX_NETWORK_DENIED",
    limit: bytes_max,
    observed: egress_bytes.bytes(),
    evidence: `${egress_bytes.bytes()} bytes went through the filtering proxy, of ${bytes_max} allowed`,
  };
}

const COUNTERS_BYTES_MAX = 16_384;

interface NetworkAttempts {
  /** Opens the counters of the sandbox's network namespace. Call it once, when the sandbox is ready. */
  attach(members: readonly ProcessSample[]): void;
  /** Evidence that the command sent packets that had no route; null when it did not, or shares the worker's network. */
  close(): LimitHit | null;
}

/**
 * Counts packets without a route in the sandbox's own network namespace (`OutNoRoutes` in proc_pid_net(5)). An open
 * counter file can be read after the namespace's processes have ended. An attempt does not end the command: many tools
 * look for updates and continue without.
 */
function countNetworkAttempts(): NetworkAttempts {
  let counters: { four: number; six: number | null } | null = null;
  return {
    attach(members) {
      const inside = processInside(members);
      if (!inside) return;
      const at = `/proc/${inside.pid}/net`;
      const four = openOrNull(`${at}/snmp`);
      if (four !== null) counters = { four, six: openOrNull(`${at}/snmp6`) };
    },
    close() {
      if (!counters) return null;
      const { four, six } = counters;
      const attempts = unrouted(readAgain(four), six === null ? "" : readAgain(six));
      closeSync(four);
      if (six !== null) closeSync(six);
      counters = null;
      if (attempts === 0) return null;
      return {
        code: "SANDBOX_NETWORK_DENIED",
        limit: 0,
        observed: attempts,
        evidence: `this step may connect only to the hosts that its profile lists: ${attempts} ${attempts === 1 ? "packet" : "packets"} of the command had no route, from OutNoRoutes in /proc/<pid>/net`,
      };
    },
  };
}

function unrouted(four: string, six: string): number {
  const [names = [], values = []] = four
    .split("\n")
    .filter((line) => line.startsWith("Ip: "))
    .map((line) => line.split(" "));
  const index = names.indexOf("OutNoRoutes");
  const packets_six = Number(/^Ip6OutNoRoutes\s+(\d+)/m.exec(six)?.[1] ?? 0);
  return (index < 0 ? 0 : Number(values[index])) + packets_six;
}

/** A process in another network namespace than the worker's; undefined when the command shares the worker's. */
function processInside(members: readonly ProcessSample[]): ProcessSample | undefined {
  return members.find(({ pid }) => isElsewhere(pid));
}

/** Whether a process has another network namespace than this one. */
function isElsewhere(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync("/proc/self/ns/net");
  } catch {
    return false;
  }
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch {
    return null;
  }
}

function readAgain(file: number): string {
  const bytes = Buffer.alloc(COUNTERS_BYTES_MAX);
  return bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0));
}

const READY_MS_MAX = 10_000;
/** The helper's message may arrive after its exit event. */
const LAST_WORD_MS_MAX = 1000;

/** Opens the socket in its namespace, sends it to the worker, and ends. */
const SCRIPT = `const server = require("node:net").createServer();
const leave = () => { server.close(); process.disconnect(); };
server.listen(Number(process.argv[1]), "127.0.0.1", () => process.send("listening", server, leave));`;

/**
 * A server that listens on 127.0.0.1 in the network namespace of process `pid` and accepts connections in this process:
 * a socket stays in the namespace it was created in, whichever process holds it. No process of the proxy runs inside,
 * so the command can neither stop nor imitate it. Throws SandboxUnavailable.
 */
async function listenInside(
  pid: number,
  port: number,
  namespace: NonNullable<Volume["namespace"]>,
): Promise<Server> {
  const namespaces = [`--user=${namespace.user}`, `--net=/proc/${pid}/ns/net`, "--preserve-credentials"];
  const helper = spawnProgram("nsenter", [...namespaces, process.execPath, "-e", SCRIPT, String(port)], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", [MARKER_NAME]: `${workerMark()}-listener` },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const signal = AbortSignal.timeout(READY_MS_MAX);
  const handed_over = once(helper, "message", { signal });
  handed_over.catch(() => {});
  try {
    await once(helper, "exit", { signal }); // until it ends, the helper would accept connections too
    const nothing = delay(LAST_WORD_MS_MAX, [], { ref: false });
    const [, server] = (await Promise.race([handed_over, nothing])) as [unknown, Server | undefined];
    if (server) return server;
    throw new Error(`the helper ended with exit code ${helper.exitCode}`);
  } catch (cause) {
    helper.kill("SIGKILL");
    throw new SandboxUnavailable("the filtering proxy could not listen inside the sandbox", { cause });
  }
}
