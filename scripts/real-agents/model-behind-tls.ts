import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { dirname } from "node:path";
import { createServer } from "node:tls";
import { modelServer } from "../../test/fakes/model-server.ts";
import { selfSigned } from "../../test/fakes/self-signed.ts";

/**
 * A scripted model behind TLS, as the filtering proxy of the sandbox wants it. Its certificate is written to a file, for
 * the agents to trust.
 */
export async function modelBehindTls(name: string, address: string, certificate_file: string) {
  const model = await modelServer([{ text: "nothing yet" }]);
  const { key, certificate } = selfSigned([name], []);
  await mkdir(dirname(certificate_file), { recursive: true });
  await writeFile(certificate_file, certificate);
  const plain = Number(new URL(model.origin).port);
  const server = createServer({ key, cert: certificate }, (socket) => {
    const inner = connect(plain, "127.0.0.1");
    socket.pipe(inner).pipe(socket);
    socket.on("error", () => inner.destroy());
    inner.on("error", () => socket.destroy());
  });
  server.on("tlsClientError", () => undefined); // an agent that does not trust the certificate: its own log says so
  server.listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...model,
    host: `${name}:${port}`,
    async close() {
      server.close();
      await model.close();
    },
  };
}
