import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** The port, or 0 when it is taken: 0 lets the system choose when it is listened on. */
export async function portOrAny(port: number): Promise<number> {
  return (await isFree(port)) ? port : 0;
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen({ port, host: "127.0.0.1", exclusive: true });
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

export async function anyFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves true as soon as something accepts connections on the port, false once `signal` aborts. */
export async function untilListening(port: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect", { signal });
      return true;
    } catch {
      await delay(50);
    } finally {
      socket.destroy();
    }
  }
  return false;
}
