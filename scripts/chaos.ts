import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TaskView } from "#schemas/http/task-view.ts";
import { type Api, connect } from "../cli/api.ts";
import { patiently } from "../cli/patiently.ts";
import { readCredentials } from "../cli/settings.ts";
import { anyFreePort } from "../local/ports.ts";
import type { Stack } from "../local/stack.ts";
import { checkAll } from "./chaos/check-all.ts";
import { figures } from "./chaos/figures.ts";
import { impatientConfigs } from "./chaos/impatient-configs.ts";
import { type Killed, type Lives, liveAndDie, stackLives } from "./chaos/kill-rounds.ts";
import { type Operator, reachStack } from "./chaos/operator.ts";
import { seededRandom } from "./chaos/seeded-random.ts";
import { type Accepted, type Submissions, submitThroughKills } from "./chaos/submitter.ts";
import { type PlannedTask, planTasks } from "./chaos/workload.ts";
import { readOptions } from "./read-options.ts";

const HELP = `Usage: npm run chaos -- [--rounds 50] [--tasks 200] [--seed <n>]

Kills the whole local stack with SIGKILL at random moments while clients submit tasks and never give
up, then waits for all of them and checks that none was lost, none was done twice, every artifact is
whole, and nothing is left in a queue. Ends with 0 if so; else writes the ledgers of the tasks at
fault to .local/chaos/violations.`;

const DATA = fileURLToPath(new URL("../.local/chaos", import.meta.url));
const OTHER_TENANTS = ["second", "third"];
const LEASE_SECONDS = 5;
const ENDING_MS_MAX = 600_000;
const DRAINING_MS_MAX = 180_000;

interface Options {
  rounds: number;
  tasks: number;
  seed: number;
}

/** Keys are made in the first life and hold in all others. */
async function openTenants(stack: Stack): Promise<Map<string, Api>> {
  const own = readCredentials(join(stack.data_dir, "credentials.json"));
  const operator = reachStack(stack.data_dir);
  const apis = new Map([["local", connect(own)]]);
  for (const tenant of OTHER_TENANTS) {
    apis.set(tenant, connect({ url: own.url, key: await operator.issueKey(tenant) }));
  }
  operator.close();
  return apis;
}

/** Kills the stack round after round while the tasks are submitted, an equal part in each. */
async function killUnderLoad(lives: Lives, planned: PlannedTask[], { rounds, seed }: Options) {
  const random = seededRandom(seed + 1);
  const submissions: Submissions = { accepted: [], repeats: 0, outages: 0, violations: [] };
  const clients: Promise<void>[] = [];
  const kills: Killed[] = [];
  const first = await lives.begin();
  const apis = await openTenants(first);
  first.kill();
  for (let round = 1; round <= rounds; round += 1) {
    const killed = await liveAndDie(lives, random, () => {
      const due = planned.slice(clients.length, Math.ceil((planned.length * round) / rounds));
      for (const task of due) {
        const api = apis.get(task.tenant) as Api;
        const refused = (error: unknown) => {
          submissions.violations.push(`${task.idempotency_key} (${task.kind}) was not accepted: ${error}`);
        };
        clients.push(submitThroughKills(task, api, random, submissions).catch(refused));
      }
    });
    kills.push(killed);
    const during = killed.during.length > 0 ? `in ${killed.during.join(", ")}` : "between steps";
    const up = `${(killed.uptime_ms / 1000).toFixed(1)} s`;
    const accepted = `${submissions.accepted.length} tasks accepted`;
    console.log(`kill ${String(round).padStart(3)}/${rounds} after ${up} ${during}; ${accepted}`);
  }
  return { submissions, clients, kills };
}

async function whenEnded(accepted: Accepted[]): Promise<void> {
  const until = Date.now() + ENDING_MS_MAX;
  let open = accepted;
  while (open.length > 0 && Date.now() < until) {
    const still: Accepted[] = [];
    for (const task of open) {
      const view = await patiently(() => task.api.get(TaskView, `/api/tasks/${task.task_id}`), {
        outage_ms_max: 60_000,
        pause_ms: 500,
      });
      if (!view.ended_at) still.push(task);
    }
    if (still.length !== open.length) console.log(`${accepted.length - still.length} tasks have ended`);
    open = still;
    if (open.length > 0) await delay(1000);
  }
}

/** What remains in the queues when no more comes out of them. */
async function drain(operator: Operator): Promise<string[]> {
  const until = Date.now() + DRAINING_MS_MAX;
  for (;;) {
    const { queues, dead_letters } = await operator.queues();
    const left = Object.entries(queues).map(([queue, count]) => `${count} messages are left in ${queue}`);
    const dead = Object.entries(dead_letters).map(
      ([queue, count]) => `${count} messages in the DLQ of ${queue}`,
    );
    if (left.length === 0 || Date.now() >= until) return [...left, ...dead];
    await delay(1000);
  }
}

async function chaos(options: Options): Promise<string[]> {
  const began_at = Date.now();
  rmSync(DATA, { recursive: true, force: true });
  const configs = impatientConfigs();
  const env = { CONFIG_DIRECTORY: configs, LEASE_SECONDS: String(LEASE_SECONDS) };
  const lives = stackLives({ port: await anyFreePort(), data_dir: DATA, env });
  const planned = planTasks(options.tasks, ["local", ...OTHER_TENANTS], seededRandom(options.seed));
  const { submissions, clients, kills } = await killUnderLoad(lives, planned, options);
  const killing_ms = Date.now() - began_at;
  const last = await lives.begin();
  try {
    await Promise.all(clients);
    console.log(`all ${submissions.accepted.length} tasks are accepted; no more kills`);
    await whenEnded(submissions.accepted);
    const operator = reachStack(DATA);
    const left = await drain(operator);
    const { checked, violations } = await checkAll(
      submissions.accepted,
      operator,
      lives.log(),
      join(DATA, "violations"),
    );
    operator.close();
    const steps = checked.flatMap(({ ledger }) => ledger?.steps ?? []);
    const table = figures({
      kills,
      submissions,
      lines: lives.log(),
      taken_over: steps.reduce((sum, { history }) => sum + history.length - 1, 0),
      artifacts: checked.reduce((sum, { artifacts }) => sum + artifacts, 0),
      killing_ms,
      total_ms: Date.now() - began_at,
    });
    console.log();
    for (const [name, value] of table) console.log(`${name.padEnd(38)} ${value}`);
    return [...submissions.violations, ...left, ...violations];
  } finally {
    await last.stop();
    rmSync(configs, { recursive: true, force: true });
  }
}

function positive(text: string, name: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`--${name} takes a whole number from 1, not ${text}.`);
}

try {
  const values = readOptions(HELP, {
    rounds: { type: "string", default: "50" },
    tasks: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  });
  const options = {
    rounds: positive(values.rounds, "rounds"),
    tasks: positive(values.tasks, "tasks"),
    seed: positive(values.seed, "seed"),
  };
  console.log(`${options.rounds} kills under ${options.tasks} tasks, seed ${options.seed}`);
  const violations = await chaos(options);
  for (const violation of violations) console.log(`✗ ${violation}`);
  console.log(violations.length === 0 ? "✓ None lost, none doubled." : `${violations.length} violations.`);
  process.exitCode = violations.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
