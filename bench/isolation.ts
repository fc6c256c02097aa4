/**
 * Whether one tenant's input slows another tenant's requests: starts the embedded stack, submits hostile
 * inputs one after the other, and meanwhile asks `GET /api/tasks` as another tenant.
 * `npm run bench:isolation -- --help`.
 */
import { rmSync } from "node:fs";
import { type HostileInput, hostileInputs, submitHostile } from "#test/fakes/hostile-inputs.ts";
import { startStack } from "../local/stack.ts";
import { readOptions } from "../scripts/read-options.ts";
import { type ApiClient, developmentClient, tenantClient } from "../test/e2e/client.ts";

const HELP = `npm run bench:isolation -- [options]

Starts the embedded stack, submits each hostile input as one tenant, and until it has ended asks
GET /api/tasks as another tenant. Prints how the input ended, and how long these requests took.
The first line is the stack at rest. Exit code 1 when a 99th percentile exceeds 200 ms, or when an
input ends in another way than it must.

  --only <text>   only inputs with this text in their name
  --pause <ms>    between two requests (20)
  --json          one JSON document instead of a table`;

const values = readOptions(HELP, {
  json: { type: "boolean", default: false },
  only: { type: "string", default: "" },
  pause: { type: "string", default: "20" },
});

const P99_MS_MAX = 200;
const REST_MS = 5000;
const REQUESTS_MIN = 100;

interface Line {
  name: string;
  ended: string;
  as_it_must: boolean;
  seconds: number;
  requests: number;
  p50_ms: number;
  p99_ms: number;
  longest_ms: number;
}

/** Asks as another tenant until `work` has ended, and at least a hundred times. */
async function askDuring(other: ApiClient, work: Promise<unknown>): Promise<number[]> {
  let running = true;
  const ends = () => {
    running = false;
  };
  work.then(ends, ends);
  const times: number[] = [];
  while (running || times.length < REQUESTS_MIN) {
    const started = performance.now();
    const { status } = await other.request("GET", "/api/tasks");
    if (status !== 200) throw new Error(`GET /api/tasks answered ${status}`);
    times.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, Number(values.pause)));
  }
  return times.sort((a, b) => a - b);
}

function lineOf(name: string, ended: string, must: RegExp, seconds: number, times: number[]): Line {
  const at = (share: number) =>
    Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
  return {
    name,
    ended,
    as_it_must: must.test(ended),
    seconds: Math.round(seconds * 10) / 10,
    requests: times.length,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    longest_ms: at(1),
  };
}

async function measure(api: ApiClient, other: ApiClient, input: HostileInput): Promise<Line> {
  const started = performance.now();
  const submitted = submitHostile(api, input);
  const times = await askDuring(other, submitted);
  return lineOf(input.name, await submitted, input.code, (performance.now() - started) / 1000, times);
}

const stack = await startStack();
const hostile = await hostileInputs();
try {
  const api = developmentClient(stack.url, stack.data_dir);
  const other = await tenantClient(stack.url, stack.data_dir, "other");
  const rest = await askDuring(other, new Promise((resolve) => setTimeout(resolve, REST_MS)));
  const lines: Line[] = [lineOf("(at rest)", "-", /-/, REST_MS / 1000, rest)];
  for (const input of hostile.inputs.filter(({ name }) => name.includes(values.only))) {
    lines.push(await measure(api, other, input));
  }
  if (values.json) console.log(JSON.stringify(lines, null, 2));
  else console.table(lines);
  const failed = lines.filter(({ p99_ms, as_it_must }) => p99_ms > P99_MS_MAX || !as_it_must);
  for (const { name } of failed) console.error(`not as it must be: ${name}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
} finally {
  hostile.close();
  await stack.stop();
  rmSync(stack.data_dir, { recursive: true, force: true });
}
