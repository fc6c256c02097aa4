import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { TaskView } from "#schemas/http/task-view.ts";
import { enterLocalEnvironment, localEnvironment } from "../../local/local-environment.ts";
import { backUp } from "../../scripts/backup/back-up.ts";
import { stageCopyPorts } from "../../scripts/backup/stage-ports.ts";
import { readOptions } from "../../scripts/read-options.ts";
import { type ApiClient, developmentClient } from "../e2e/client.ts";
import { tinySource } from "../e2e/example.ts";
import { modelServer } from "../fakes/model-server.ts";
import { temporaryDirectory } from "../temporary.ts";
import { EXPECTED, type ExpectedTask, MESSAGES, PREVIOUS, type RecordedMessage } from "./previous.ts";

const HELP = `Usage: npm run record:upgrade -- --from <checkout>

Records what another version leaves behind when it is killed in the middle of its work: items, objects, messages, and
what its API told of the tasks. test/e2e/upgrade.long.test.ts goes on from there with this version. <checkout> is a working
copy of the version that was landed before, with its node_modules. Replaces ${PREVIOUS}.`;

const { from } = readOptions(HELP, { from: { type: "string" } });
if (from === undefined) {
  console.error(HELP);
  process.exit(2);
}
const checkout = resolve(from);
const ofCheckout = (path: string) => import(pathToFileURL(join(checkout, path)).href);
const data_dir = temporaryDirectory("previous");

const DIFF = `--- a/add.js
+++ b/add.js
@@ -1 +1 @@
-export const add = (a, b) => a - b;
+export const add = (a, b) => a + b;
`;
const PATCH = { kind: "patch", diff: DIFF };
const TEST = "node --test --test-reporter=tap";
const WORDS = { kind: "prompt", text: "add subtracts; make it add" };

const ENDED = [
  { workflow: "run", source: tinySource(true), command: "ls" },
  { workflow: "run", source: tinySource(true), command: "exit 3" },
  { workflow: "index", source: tinySource(true) },
  { workflow: "buildtest", source: tinySource(true), test: TEST },
  { workflow: "change", source: tinySource(false), change: PATCH, test: TEST },
  {
    workflow: "change",
    source: tinySource(false),
    change: { ...PATCH, diff: DIFF.replace("a + b", "a * b"), fallback_diffs: [DIFF] },
    test: TEST,
  },
];
/** The model refuses its key: a dead letter. */
const REFUSED = { workflow: "change", source: tinySource(false), change: WORDS, test: TEST };
/** At work when the kill comes. */
const UNDER_WAY = [
  { workflow: "run", source: tinySource(true), command: "sleep 5; echo slept" },
  { workflow: "buildtest", source: tinySource(true), build: "sleep 5", test: TEST },
  { workflow: "change", source: tinySource(false), change: PATCH, build: "sleep 5", test: TEST },
];

async function expected(api: ApiClient, task_id: string): Promise<ExpectedTask> {
  const { status, verdict, artifacts } = await api.ended(task_id);
  return { task_id, status, verdict, artifacts: artifacts.map(({ path, sha256 }) => ({ path, sha256 })) };
}

async function untilRunning(api: ApiClient, task_id: string): Promise<void> {
  for (;;) {
    const { body } = await api.request<TaskView>("GET", `/api/tasks/${task_id}`);
    if (body.steps.some(({ status }) => status === "running")) return;
    await delay(20);
  }
}

const { startStack } = await ofCheckout("local/stack.ts");
const server = await modelServer([{ status: 401, body: '{"error":{"message":"no such key"}}' }]);
const stack = await startStack({
  data_dir,
  service_dir: checkout,
  env: { MODEL_URL: server.completions_url, MODEL_NAME: "refuses" },
});
const api = developmentClient(stack.url, data_dir);
const tasks: ExpectedTask[] = [];
for (const submission of [...ENDED, REFUSED]) {
  const { task_id } = await api.submit(submission);
  tasks.push(await expected(api, task_id));
}
const open: string[] = [];
for (const submission of UNDER_WAY) open.push((await api.submit(submission)).task_id);
await Promise.all(open.map((task_id) => untilRunning(api, task_id)));
open.push(
  (await api.submit({ workflow: "run", source: tinySource(true), command: "echo accepted" })).task_id,
);
stack.kill();
await server.close();

const { openDataDirectory } = await ofCheckout("local/data-directory.ts");
const { startEmulators } = await ofCheckout("local/emulators/start-emulators.ts");
const data = openDataDirectory(data_dir, "emulators");
const emulators = await startEmulators(data, 0);
const environment = JSON.parse(readFileSync(join(data_dir, "environment.json"), "utf8"));
enterLocalEnvironment({ ...environment, ...localEnvironment(emulators, environment.AWS_REGION) });
rmSync(PREVIOUS, { recursive: true, force: true });
mkdirSync(PREVIOUS, { recursive: true });
const { items, objects } = await backUp(
  PREVIOUS,
  stageCopyPorts(() => undefined),
);

const sqs = new SQSClient({});
const messages: RecordedMessage[] = [];
for (const [variable, url] of Object.entries<string>(environment)) {
  const queue = /^(?:QUEUE|DLQ)_URL_\w+$/.test(variable)
    ? new URL(new URL(url).pathname, emulators.sqs_and_s3_url).href
    : undefined;
  if (!queue) continue;
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] }),
    );
    if (Messages.length === 0) break;
    messages.push(
      ...Messages.map(({ Body = "", MessageAttributes = {} }) => ({
        variable,
        body: Body,
        attributes: MessageAttributes as RecordedMessage["attributes"],
      })),
    );
  }
}
await emulators.close();
data.release();
writeFileSync(join(PREVIOUS, MESSAGES), `${JSON.stringify(messages, null, 1)}\n`);
writeFileSync(join(PREVIOUS, EXPECTED), `${JSON.stringify({ ended: tasks, open }, null, 1)}\n`);
console.log(
  `${items} items, ${objects} objects, ${messages.length} messages of ${tasks.length + open.length} tasks are in ${PREVIOUS}.`,
);
