import { once } from "node:events";
import type { Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { spawnProgram } from "#lib/platform/processes/spawn-program.ts";
import { MARKER_NAME, workerMark } from "#lib/platform/processes/worker-mark.ts";
import { SandboxUnavailable } from "#lib/sandbox/volume/sandbox-unavailable.ts";
import type { Volume } from "#lib/sandbox/volume/volume.ts";

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
export async function listenInside(
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
