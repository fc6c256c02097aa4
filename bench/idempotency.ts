/**
 * This system's `runOnce` beside `makeIdempotent` of Powertools for AWS Lambda, in one run on the
 * embedded DynamoDB: what a first call and a duplicate cost in time and requests, and what each
 * adds to a bundle (minified, without the AWS SDK).
 *
 *     npm run bench:idempotency [-- calls]
 */
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { build } from "esbuild";
import { runOnce } from "#lib/resilience/idempotency/run-once.ts";
import { realTable } from "#test/fakes/real-table.ts";

const CALLS = Number(process.argv[2] ?? 1000);
const WARM_UP = 100;
const CONTENDERS = ["runOnce", "Powertools"] as const;

interface Order {
  id: string;
  amount: number;
}
type Call = (order: Order) => Promise<unknown>;

const store = await realTable();
const requests: Record<string, number> = {};
countRequests(store.table);

const pay = async ({ id, amount }: Order) => ({ payment: `of ${id}`, amount });
const options = { ...store, namespace: "bench", lease_seconds: 60, expires_after_seconds: 3600 };
const persistenceStore = new DynamoDBPersistenceLayer({
  tableName: store.table_name,
  keyAttr: "pk",
  sortKeyAttr: "sk",
  staticPkValue: "powertools",
  awsSdkV3Client: store.table as never,
});
const config = new IdempotencyConfig({
  eventKeyJmesPath: "id",
  payloadValidationJmesPath: "amount",
  expiresAfterSeconds: 3600,
});
// Without an invocation it warns at every call; a first call is to find its lease time as on Lambda.
config.registerLambdaContext({ getRemainingTimeInMillis: () => 60_000 } as never);
const powertools = makeIdempotent(pay, { persistenceStore, config });
const contenders: Record<(typeof CONTENDERS)[number], Call> = {
  runOnce: (order) => runOnce(options, order.id, order.amount, () => pay(order)),
  Powertools: (order) => powertools(order),
};

/** Counts what goes over the wire, by operation. */
function countRequests(client: DynamoDBDocumentClient): void {
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (given) => {
        requests[commandName] = (requests[commandName] ?? 0) + 1;
        return next(given);
      },
    { step: "finalizeRequest", name: "count", priority: "low" },
  );
}

function quantile(sorted: number[], share: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return `${value.toFixed(2)} ms`;
}

/** Takes turns, so that what else the machine does weighs on both. */
async function measure(calls: number, orderOf: (number: number) => string) {
  const times: Record<string, number[]> = { runOnce: [], Powertools: [] };
  const sent: Record<string, string> = {};
  for (let number = 0; number < calls; number += 1) {
    for (const name of CONTENDERS) {
      for (const operation of Object.keys(requests)) delete requests[operation];
      const started = performance.now();
      await contenders[name]({ id: `${name}-${orderOf(number)}`, amount: 5 });
      times[name]?.push(performance.now() - started);
      const counted = Object.entries(requests).map(([operation, count]) => `${count} ${operation}`);
      sent[name] = counted.map((text) => text.replace(/Item(Command)?$|Command$/, "")).join(" + ");
    }
  }
  return Object.fromEntries(
    CONTENDERS.map((name) => {
      const sorted = times[name]?.sort((a, b) => a - b) ?? [];
      return [name, { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), requests: sent[name] ?? "" }];
    }),
  );
}

/** Minified bytes of a bundle that exports what each offers. */
async function bundleBytes(contents: string): Promise<string> {
  const built = await build({
    stdin: { contents, resolveDir: process.cwd(), loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node24",
    external: ["@aws-sdk/*"],
  });
  return `${((built.outputFiles[0]?.contents.byteLength ?? 0) / 1024).toFixed(0)} KB`;
}

await measure(WARM_UP, (number) => `warm-${number}`);
const first = await measure(CALLS, (number) => `order-${number}`);
const duplicate = await measure(CALLS, (number) => `order-${number}`);
const bundles = {
  runOnce: await bundleBytes('export { runOnce } from "#lib/resilience/idempotency/run-once.ts"'),
  Powertools: await bundleBytes(
    'export { makeIdempotent, IdempotencyConfig } from "@aws-lambda-powertools/idempotency"; export { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb"',
  ),
};
console.log(`${CALLS} calls each, one after the other, on the embedded DynamoDB`);
console.table(
  Object.fromEntries(
    CONTENDERS.map((name) => [
      name,
      {
        "first p50": first[name]?.p50,
        "first p95": first[name]?.p95,
        "first requests": first[name]?.requests,
        "duplicate p50": duplicate[name]?.p50,
        "duplicate p95": duplicate[name]?.p95,
        "duplicate requests": duplicate[name]?.requests,
        bundle: bundles[name],
      },
    ]),
  ),
);
await store.close();
