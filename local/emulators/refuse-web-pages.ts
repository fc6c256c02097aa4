import type { IncomingMessage, RequestListener, Server } from "node:http";

const LOOPBACK_HOST = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i;

/** Path of an object with the signature of a presigned URL. */
const SIGNED_OBJECT = /^\/[^/?]+\/[^?]+\?(?:[^#]*&)?X-Amz-Signature=/;

/**
 * Makes a server on loopback answer 403 to every request that a web page has caused, and to every request under
 * another name than the loopback's: any page may send requests to this machine, and one that has rebound its own
 * name to it may read the answers. Programs send neither Origin nor Sec-Fetch-Site. A browser that a person has sent
 * here, by typing or pasting an address, says `Sec-Fetch-Site: none`.
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

function refusal(request: IncomingMessage): string | undefined {
  const { headers, rawHeaders } = request;
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
  if (hosts.length !== 1 || !LOOPBACK_HOST.test(headers.host ?? "")) {
    return "This port answers under the names of the loopback only.";
  }
  if (uploadsByLink(request)) return undefined;
  if (headers.origin !== undefined) return "This port answers no web page.";
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "none") return undefined;
  const on_this_machine = site === "same-site" || site === "same-origin";
  return on_this_machine && opensLink(request) ? undefined : "This port answers no web page.";
}

/**
 * True when a person follows a presigned link to an object, from a page of this machine such as the API's. The page
 * cannot read what the browser then shows, and the S3 emulator checks the signature.
 */
function opensLink({ method, headers, url = "" }: IncomingMessage): boolean {
  return (
    method === "GET" &&
    headers["sec-fetch-mode"] === "navigate" &&
    headers["sec-fetch-dest"] === "document" &&
    SIGNED_OBJECT.test(url)
  );
}

/**
 * True when a page of this machine, such as the console, uploads to a presigned URL, or its browser asks whether it may. The S3
 * emulator checks the signature, which only the API can have made.
 */
function uploadsByLink({ method, headers, url = "" }: IncomingMessage): boolean {
  const wanted = method === "OPTIONS" ? headers["access-control-request-method"] : method;
  const site = headers["sec-fetch-site"] ?? "same-site";
  return (
    wanted === "PUT" &&
    LOOPBACK_HOST.test(headers.origin?.replace(/^https?:\/\//, "") ?? "") &&
    (site === "same-site" || site === "same-origin") &&
    SIGNED_OBJECT.test(url)
  );
}
