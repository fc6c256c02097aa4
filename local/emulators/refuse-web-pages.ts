import type { IncomingMessage, RequestListener, Server } from "node:http";

const LOOPBACK_HOST = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Makes a server on loopback answer 403 to every request that a web page has caused, and to every request under
 * another name than the loopback's: any page may send requests to this machine, and one that has rebound its own
 * name to it may read the answers. Programs send neither Origin nor Sec-Fetch-Site. What carries a presigned
 * signature may be opened in a browser, for the signature says who may.
 * https://fetch.spec.whatwg.org/#origin-header, https://www.w3.org/TR/fetch-metadata/
 */
export function refuseWebPages(server: Server): void {
  const answering = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    const why = refusal(request);
    if (why === undefined) {
      for (const listener of answering) listener.call(server, request, response);
      return;
    }
    request.resume();
    const body = JSON.stringify({ code: "FOREIGN_REQUEST", message: why });
    const headers = {
      "content-type": "application/json",
      "content-length": body.length,
      connection: "close",
    };
    response.writeHead(403, headers).end(body);
  });
}

function refusal({ headers, rawHeaders, url = "" }: IncomingMessage): string | undefined {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
  if (hosts.length !== 1 || !LOOPBACK_HOST.test(headers.host ?? "")) {
    return "This port answers under the names of the loopback only.";
  }
  if (headers.origin !== undefined) return "This port answers no web page.";
  const site = headers["sec-fetch-site"];
  const by_a_page = site !== undefined && site !== "none";
  return by_a_page && !/[?&]X-Amz-Signature=/.test(url) ? "This port answers no web page." : undefined;
}
