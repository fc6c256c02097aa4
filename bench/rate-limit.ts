/**
 * The rate limit on the local stack: eight clients of one tenant ask at five times its limit for
 * half a minute, another tenant asks now and then. Prints what was admitted beside what the limit
 * says, and what it cost in the table; fails when that is off by more than 5 %, when the quiet
 * tenant is refused anything, or when a request is answered with anything but 200 and 429.
 *
 *     npm run bench:ratelimit [-- seconds [requests_per_second]]
 */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { configsDirectory } from "#test/fakes/configs-directory.ts";
import { startStack } from "../local/stack.ts";
import { type ApiClient, tenantClient } from "../test/e2e/client.ts";

const SECONDS = Number(process.argv[2] ?? 30);
const RATE = Number(process.argv[3] ?? 15);
const CLIENTS = 8;
const TIMES = 5;
const UNDER_WAY_MAX = 4;
const QUIET_PER_SECOND = 2;
const PATH = "/api/policies";
const rule = { requests_per_second: RATE, burst_requests: 3 * RATE };

interface Tally {
  statuses: Record<number, number>;
  began: number;
  ended: number;
}

/** Asks at an even pace, with a few requests under way at once when answers take their time. */
async function ask(api: ApiClient, per_second: number, until: number, tally: Tally): Promise<void> {
  const began = performance.now();
  const under_way = new Set<Promise<void>>();
  const once = async () => {
    const { status } = await api.request("GET", PATH);
    tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
    tally.ended = performance.now();
  };
  for (let number = 0; performance.now() < until; number += 1) {
    const request = once().finally(() => under_way.delete(request));
    under_way.add(request);
    if (under_way.size >= UNDER_WAY_MAX) await Promise.race(under_way);
    await sleep(Math.max(0, began + ((number + 1) * 1000) / per_second - performance.now()));
  }
  await Promise.all(under_way);
}

async function counted(api: ApiClient): Promise<Record<string, number>> {
  const { body } = await api.request<{ services: Record<string, Record<string, number>> }>(
    "GET",
    "/api/metrics/summary",
  );
  return body.services.gateway ?? {};
}

const configs = configsDirectory();
const routes = { [`GET ${PATH}`]: rule };
configs.writePolicies({ ...configs.shipped, tenants: { hot: { routes }, quiet: { routes } } });
const stack = await startStack({ env: { CONFIG_DIRECTORY: configs.directory } });
try {
  const hot = await tenantClient(stack.url, stack.data_dir, "hot");
  const quiet = await tenantClient(stack.url, stack.data_dir, "quiet");
  await counted(hot);
  await counted(quiet);

  const began = performance.now();
  const until = began + SECONDS * 1000;
  const tallies = {
    hot: { statuses: {}, began, ended: 0 },
    quiet: { statuses: {}, began, ended: 0 },
  } as Record<"hot" | "quiet", Tally>;
  const pace = (RATE * TIMES) / CLIENTS;
  await Promise.all([
    ...Array.from({ length: CLIENTS }, () => ask(hot, pace, until, tallies.hot)),
    ask(quiet, QUIET_PER_SECOND, until, tallies.quiet),
  ]);

  const elapsed_seconds = (tallies.hot.ended - began) / 1000;
  const allowed = rule.burst_requests + RATE * elapsed_seconds;
  const row = async (api: ApiClient, { statuses }: Tally) => {
    const { rate_limit_writes = 0, rate_limit_reads = 0 } = await counted(api);
    const requests = Object.values(statuses).reduce((sum, count) => sum + count, 0);
    const per = (count: number, of: number) => (count / Math.max(1, of)).toFixed(3);
    return {
      requests,
      "per second": (requests / elapsed_seconds).toFixed(1),
      admitted: statuses[200] ?? 0,
      refused: statuses[429] ?? 0,
      other: requests - (statuses[200] ?? 0) - (statuses[429] ?? 0),
      "writes/request": per(rate_limit_writes, requests),
      "writes/admitted": per(rate_limit_writes, statuses[200] ?? 0),
      "reads/request": per(rate_limit_reads, requests),
    };
  };
  const table = { hot: await row(hot, tallies.hot), quiet: await row(quiet, tallies.quiet) };
  console.log(
    `${RATE} requests a second, ${rule.burst_requests} at once; ${CLIENTS} clients ask at ${RATE * TIMES} a second for ${elapsed_seconds.toFixed(1)} s`,
  );
  console.table(table);
  const share = table.hot.admitted / allowed;
  console.log(
    `admitted ${table.hot.admitted} of ${allowed.toFixed(0)} allowed: ${(share * 100).toFixed(1)} %`,
  );
  const enough = table.hot.requests >= 0.95 * TIMES * RATE * elapsed_seconds;
  if (!enough) console.log("The machine was too busy to ask at five times the limit.");
  const holds =
    Math.abs(share - 1) <= 0.05 && table.quiet.refused === 0 && table.hot.other + table.quiet.other === 0;
  if (!holds || !enough) process.exitCode = 1;
} finally {
  await stack.stop();
  rmSync(stack.data_dir, { recursive: true, force: true });
  configs.remove();
}
