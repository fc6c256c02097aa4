/**
 * The AWS requests of one task of each workflow, as the functions send them to the embedded stack, with DynamoDB's write
 * units, indexes included, and the money for a million tasks; beside what the path needs in theory, and beside the same
 * step made with Powertools for AWS Lambda on the same emulator.
 *
 *     npm run bench:requests [-- run buildtest index change]
 */
import { realTable } from "#test/fakes/real-table.ts";
import { measuredStack } from "#test/requests/measured-stack.ts";
import { describeRows, type Totals, totalsOf } from "#test/requests/request-table.ts";
import { SUBMISSIONS } from "#test/requests/submissions.ts";
import { powertoolsStep } from "./requests/powertools-step.ts";
import { moneyOf, PRICES } from "./requests/prices.ts";

const TASKS = 3;
const asked = process.argv.slice(2);
const workflows = asked.length > 0 ? asked : Object.keys(SUBMISSIONS);

/** What the path of a one-step task cannot do without: a write a state, a read an invocation, an object a file. */
const LEAST: Totals = {
  writes: 5, // accept, dispatch, claim, complete, seal
  clock_writes: 0,
  write_units: 13, // items of 1 KB, with both indexes: accept 3, dispatch 4, claim 1, complete 2, seal 3
  queries: 2,
  gets: 0,
  read_units: 2,
  s3_puts: 5, // source, output.log, report.json, task.json, events.jsonl
  s3_gets: 1,
  sends: 3,
};

const columns: Record<string, Totals> = {};
const stack = await measuredStack();
try {
  for (const workflow of workflows) {
    const submission = SUBMISSIONS[workflow];
    if (!submission)
      throw new Error(`there is no workflow ${workflow}: ${Object.keys(SUBMISSIONS).join(", ")}`);
    await stack.measure((run) => submission(-1 - run), 1);
    const rows = await stack.measure(submission, TASKS);
    console.log([`\nWorkflow ${workflow}, one task of ${TASKS} in turn`, ...describeRows(rows)].join("\n"));
    columns[workflow] = totalsOf(rows);
  }
} finally {
  await stack.stop();
}
columns["one step, least"] = LEAST;
columns["one step, Powertools"] = await measurePowertools();

console.log("\nRequests of one task, and US dollars for a million");
console.table(
  Object.fromEntries(
    Object.entries(columns).map(([name, totals]) => {
      const money = moneyOf(totals);
      const dollars = Object.entries(money).map(([service, amount]) => [`$ ${service}`, amount.toFixed(2)]);
      return [name, { ...totals, ...Object.fromEntries(dollars) }];
    }),
  ),
);
console.log(`Prices per million: ${JSON.stringify(PRICES)} (bench/requests/prices.ts names their pages)`);

/** Its state alone: it has no artifacts, so its result would be one more object. */
async function measurePowertools(): Promise<Totals> {
  const store = await realTable();
  const counts = { writes: 0, gets: 0 };
  store.table.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (given) => {
        if (/^(Put|Update|Delete)/.test(commandName)) counts.writes += 1;
        else counts.gets += 1;
        return next(given);
      },
    { step: "finalizeRequest", name: "count", priority: "low" },
  );
  const step = powertoolsStep(store);
  for (let task = 0; task < TASKS; task += 1) {
    const one = { task_id: `task-${task}`, command: "true" };
    await step.accept(one);
    await step.handle([one]);
  }
  await store.close();
  const { writes, gets } = counts;
  const each = (count: number) => count / TASKS;
  const reads = { queries: 0, gets: each(gets), read_units: each(gets) };
  const rest = { clock_writes: 0, s3_puts: 2, s3_gets: 1, sends: 1 }; // its source and its result
  // Its items are below 1 KB and in no index: a unit a write.
  return { writes: each(writes), write_units: each(writes), ...reads, ...rest };
}
