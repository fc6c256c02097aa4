import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  at_ms: number;
}

/** A tenant's receiver on loopback. It answers 204 unless `answers` says otherwise of the next requests. */
export async function webhookReceiver(
  options: { port?: number; onReceived?: (received: Received) => Promise<void> } = {},
) {
  const received: Received[] = [];
  const answers: ((response: ServerResponse) => void)[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const one = { headers: request.headers, body, at_ms: Date.now() };
    await options.onReceived?.(one);
    received.push(one);
    const answer = answers.shift() ?? ((given) => void given.writeHead(204).end());
    answer(response);
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    /** Webhook ids, in the order in which they came. */
    ids: () => received.map(({ headers }) => String(headers["webhook-id"])),
    answer: (status: number, headers: Record<string, string> = {}) =>
      void answers.push((response) => void response.writeHead(status, headers).end("said")),
    answerBy: (answer: (response: ServerResponse) => void) => void answers.push(answer),
    reset() {
      received.length = 0;
      answers.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
