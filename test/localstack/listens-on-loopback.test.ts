import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { expect, it } from "vitest";
import { part } from "./stage.ts";

const LISTENING = "0A"; // https://docs.kernel.org/networking/proc_net_tcp.html
const LOOPBACK = /^(0100007F|00000000000000000000000001000000|0000000000000000FFFF00000100007F)$/;

/** The local addresses, in hexadecimal, that the processes of one group listen on. */
function listeners(group: number): string[] {
  const inodes = new Set(processesOf(group).flatMap(socketsOf));
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode = ""]) => state === LISTENING && inodes.has(inode))
      .map(([, address = ""]) => address.split(":")[0] ?? ""),
  );
}

function processesOf(group: number): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]) === group;
    } catch {
      return false; // ended meanwhile
    }
  });
}

function socketsOf(pid: string): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
}

it.runIf(process.platform === "linux").each(["localstack", "dynamodb"] as const)(
  "%s listens, and on loopback only",
  (name) => {
    const addresses = listeners(part(name).pid);
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(address).toMatch(LOOPBACK);
  },
);
