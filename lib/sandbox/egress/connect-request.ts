import type { Duplex } from "node:stream";

/** Where a CONNECT request wants to go. */
export interface Target {
  host: string;
  port: number;
}

/** The target of a CONNECT request (RFC 9110 7.1, authority-form); null when it is none. */
export function readTarget(authority: string): Target | null {
  const [, host = "", port = ""] = /^([a-z0-9.-]+|\[[0-9a-f:.]+\]):([0-9]{1,5})$/i.exec(authority) ?? [];
  if (host === "" || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host: host.toLowerCase().replace(/^\[|\]$/g, ""), port: Number(port) };
}

/** Answers and hangs up. */
export function refuse(client: Duplex, status: string): void {
  if (client.writable) client.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  client.on("finish", () => client.destroy());
}
