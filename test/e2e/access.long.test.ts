import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { FailureList } from "#schemas/http/dead-letters.ts";
import type { ReplayView } from "#schemas/http/replays.ts";
import { DeliveryList } from "#schemas/http/webhooks.ts";
import { anyFreePort } from "../../local/ports.ts";
import { resourcesOf, type Template } from "../../scripts/package/template.ts";
import { templateOf } from "../../scripts/package/template-of.ts";
import { type Access, accessesOf } from "../access/accesses.ts";
import { allows, type Permission, permissionsOf } from "../access/permissions.ts";
import { type RecordedStack, recordedStack } from "../access/recorded-stack.ts";
import { UNREACHED } from "../access/unreached.ts";
import { configsDirectory } from "../fakes/configs-directory.ts";
import { rawArchive } from "../fakes/tar-archive.ts";
import { webhookReceiver } from "../fakes/webhook-receiver.ts";
import { type ApiClient, developmentClient, queues } from "./client.ts";
import { CODEMOD, exampleSource, FIRST_TRY, FIX, tinySource } from "./example.ts";

const patience = { timeout: 60_000, interval: 200 };
const circuitOfModel = () =>
  `codegen.worker.model@openai-compatible_127-0-0-1-${(model.address() as AddressInfo).port}`;
const FAILURES_BATCH: number = JSON.parse(readFileSync("configs/authentication.json", "utf8")).failures_batch;
const TEST = "node --test --test-reporter=tap";
const model = createServer((_, response) => response.writeHead(503).end());
/** What it prints and changes is too large to travel in references. */
const NOISY = "head -c 20000 /dev/urandom | od > noise.txt; cat noise.txt";
const configs = configsDirectory();
let recorded: RecordedStack;
let api: ApiClient;
let template: Template;
let lambda_port: number;

beforeAll(async () => {
  model.listen(0, "127.0.0.1");
  await once(model, "listening");
  lambda_port = await anyFreePort();
  template = await templateOf("prod");
  const codegen_file = join(configs.directory, "codegen.json");
  const codegen = JSON.parse(readFileSync(codegen_file, "utf8"));
  writeFileSync(codegen_file, JSON.stringify({ ...codegen, agents: { noisy: { command: NOISY } } }));
  recorded = await recordedStack({
    MODEL_URL: `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`,
    MODEL_NAME: "none",
    LOCAL_LAMBDA_PORT: String(lambda_port),
    CONFIG_DIRECTORY: configs.directory,
  });
  api = developmentClient(recorded.stack.url, recorded.stack.data_dir);
  await everyDuty();
}, 600_000);
afterAll(async () => {
  await recorded?.stop();
  configs.remove();
  model.close();
});

const verdict = async (submission: object) => {
  const { task_id } = await api.submit(submission);
  return { task_id, view: await api.ended(task_id) };
};

/** All workflows, all routes, and messages nobody can read. */
async function everyDuty(): Promise<void> {
  const source = exampleSource();
  const upload = await uploaded();
  const tasks = await Promise.all([
    verdict({
      workflow: "change",
      source,
      change: { kind: "patch", diff: FIX },
      test: TEST,
      repository: "dates",
    }),
    verdict({
      workflow: "change",
      source: upload,
      change: { kind: "codemod", rules: CODEMOD },
      test: "true",
    }),
    verdict({
      workflow: "change",
      source,
      change: { kind: "patch", diff: FIRST_TRY, fallback_diffs: [FIX] },
      test: TEST,
    }),
    verdict({
      workflow: "change",
      source: upload,
      change: { kind: "prompt", text: `make noise ${randomBytes(12_000).toString("hex")}`, agent: "noisy" },
      test: "true",
    }),
    verdict({ workflow: "index", source: upload, repository: "uploaded" }),
    verdict({ workflow: "buildtest", source: upload, test: "false" }),
    verdict({ workflow: "run", source: upload, command: "true" }),
  ]);
  await withMoreThanTheLedgerHolds();
  const task_id = tasks[0]?.task_id ?? "";
  await api.request("POST", "/api/query", { repository: "dates", query: "parse" });
  for (const path of [
    "tasks",
    `tasks/${task_id}?links=true`,
    `tasks/${task_id}/trace`,
    "artifacts/index",
    "metrics/summary?window=24h",
  ]) {
    await api.request("GET", `/api/${path}`);
  }
  await api.request("POST", "/api/alerts/silences", { rule: "*", for_seconds: 60, why: "x" });
  for (const path of ["policies", "circuits", "keys", "audit", "alerts", "integration/status"]) {
    await api.request("GET", `/api/${path}`);
  }
  await api.artifact(task_id, "build-test/report.json");
  const { task_id: cancelled } = await api.submit({
    workflow: "run",
    source: tinySource(true),
    command: "sleep 60",
  });
  await api.request("POST", `/api/tasks/${cancelled}/cancel`);
  const { body: made_key } = await api.request<{ key_id: string; key: string }>("POST", "/api/keys", {
    name: "x",
    scopes: ["read"],
  });
  await authorized(`Bearer ${made_key.key}`); // before any function remembers it
  await api.request("POST", `/api/keys/${made_key.key_id}/rotate`);
  await api.request("POST", `/api/keys/${made_key.key_id}/revoke`);
  // Twice: they may fall into two windows.
  for (let failures = 0; failures < 2 * FAILURES_BATCH; failures += 1) {
    await fetch(`${recorded.stack.url}/api/tasks`, { headers: { authorization: "Bearer dak_wrong" } });
  }
  await withTheModelAway();
  await withWebhooks();
  await unreadableMessages();
  await api.request("GET", "/api/metrics/summary?tenant=*"); // with dead letters, whose age is looked for
  await withReplays();
}

/** A source, a change and logs too large to travel in references. */
async function withMoreThanTheLedgerHolds(): Promise<void> {
  const noise = randomBytes(10_000).toString("hex");
  const { files } = tinySource(true);
  const source = { kind: "inline", files: { ...files, "noise.txt": noise } };
  const diff = `--- /dev/null\n+++ b/more.txt\n@@ -0,0 +1 @@\n+${noise}\n`;
  const [{ task_id }] = await Promise.all([
    verdict({ workflow: "run", source, command: "cat noise.txt" }),
    verdict({ workflow: "change", source, change: { kind: "patch", diff }, test: "cat noise.txt" }),
  ]);
  await api.artifact(task_id, "run/output.log");
}

async function uploaded(): Promise<object> {
  const archive = rawArchive({ path: "package.json", type: "0" });
  const sha256 = createHash("sha256").update(archive).digest("hex");
  const grant = await api.request<{ upload_id: string; url: string; headers: Record<string, string> }>(
    "POST",
    "/api/uploads",
    { sha256, bytes: archive.byteLength },
  );
  const { url, headers, upload_id } = grant.body;
  expect((await fetch(url, { method: "PUT", headers, body: new Uint8Array(archive) })).status).toBe(200);
  return { kind: "upload", upload_id };
}

/** API Gateway asks the authorizer; here somebody has to. */
async function authorized(authorization: string): Promise<void> {
  const invocation = `http://127.0.0.1:${lambda_port}/2015-03-31/functions/distributed-agents-local-authorizer/invocations`;
  const body = JSON.stringify({ identitySource: [authorization] });
  const answer = await fetch(invocation, { method: "POST", body });
  expect(await answer.json()).toMatchObject({ isAuthorized: true });
}

/** A circuit, and an operator who holds it open: work is parked. */
async function withTheModelAway(): Promise<void> {
  const change = { kind: "prompt", text: "mend it" };
  const submit = () => api.submit({ workflow: "change", source: tinySource(false), change, test: "true" });
  await submit();
  const command = (action: "force_open" | "reset") =>
    vi.waitUntil(async () => {
      const { status } = await api.request("POST", `/api/circuits/${circuitOfModel()}`, {
        action,
        why: "test",
      });
      return status === 200;
    }, patience);
  await command("force_open");
  await submit();
  await vi.waitUntil(() => sent("codegen", "CodegenQueue.Arn"), patience);
  await command("reset");
}

/** A receiver that fails, takes an event, and is gone when it is sent again. */
async function withWebhooks(): Promise<void> {
  const receiver = await webhookReceiver();
  receiver.answer(500);
  const { body } = await api.request<{ webhook_id: string }>("POST", "/api/webhooks", {
    name: "x",
    url: receiver.url,
  });
  const { task_id } = await verdict({ workflow: "run", source: tinySource(true), command: "true" });
  const delivery = (state: string) =>
    vi.waitUntil(async () => {
      const found = await api.request("GET", `/api/deliveries?task=${task_id}&state=${state}`);
      return DeliveryList.parse(found.body).deliveries[0]?.delivery_id;
    }, patience);
  const delivery_id = await delivery("delivered");
  receiver.answer(410);
  await api.request("POST", `/api/deliveries/${delivery_id}/redeliver`);
  await delivery("failed");
  await api.request("GET", "/api/webhooks");
  for (const action of ["rotate", "enable"]) {
    await api.request("POST", `/api/webhooks/${body.webhook_id}/${action}`);
  }
  await api.request("DELETE", `/api/webhooks/${body.webhook_id}`);
  await receiver.close();
}

async function unreadableMessages(): Promise<void> {
  const { sqs, queueUrl } = queues(recorded.stack.data_dir);
  const agents = [
    "orchestrator",
    "codegen",
    "coder",
    "buildtest",
    "sandbox",
    "indexing",
    "webhooks",
    "alerts",
    "replays",
  ];
  for (const agent of agents) {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl(agent), MessageBody: "{}" }));
    const dead = `${agent[0]?.toUpperCase()}${agent.slice(1)}DeadLetterQueue.Arn`;
    await vi.waitUntil(() => sent(agent, dead) && noted(agent), patience);
  }
  sqs.destroy();
}

/** Everything is replayed, which is not possible, and given up; SQS moved a message that nobody recorded. */
async function withReplays(): Promise<void> {
  const { sqs, deadLetterQueueUrl } = queues(recorded.stack.data_dir);
  await sqs.send(new SendMessageCommand({ QueueUrl: deadLetterQueueUrl("codegen"), MessageBody: "native" }));
  await vi.waitUntil(async () => {
    const { body } = await api.request<FailureList>("GET", "/api/dlq/failures?code=NATIVE_REDRIVE");
    return body.failures.length > 0;
  }, patience);
  sqs.destroy();
  await api.request("GET", "/api/dlq/queues");
  const selection = { all: true };
  await api.request("POST", "/api/dlq/replays", { selection, dry_run: true });
  for (const action of ["replay", "discard"]) {
    const { body } = await api.request<ReplayView>("POST", "/api/dlq/replays", {
      action,
      selection,
      why: "test",
    });
    await vi.waitUntil(
      async () => {
        const path = `/api/dlq/replays/${body.replay_id}`;
        return (await api.request<ReplayView>("GET", path)).body.state === "completed";
      },
      { ...patience, timeout: 180_000 },
    ); // what was sent may take long to fail again
    await api.request("GET", `/api/dlq/replays/${body.replay_id}/results`);
    await api.request("POST", `/api/dlq/replays/${body.replay_id}/pause`);
  }
  await api.request("GET", "/api/dlq/replays");
}

const sent = (by: string, queue: string) =>
  made().some(
    ({ name, access }) => name === by && access.action === "sqs:SendMessage" && access.resource === queue,
  );
const noted = (by: string) =>
  made().some(
    ({ name, access }) =>
      name === by && access.action === "dynamodb:UpdateItem" && access.key?.startsWith("FAILURE#"),
  );

function made(): { name: string; access: Access }[] {
  return recorded
    .calls()
    .flatMap((call) => accessesOf(call).map((access) => ({ name: call.function, access })));
}

interface Deployed {
  Role: { "Fn::GetAtt": [string] };
  Environment: { Variables: { SERVICE: string } };
}
function permissionsByFunction(): Map<string, Permission[]> {
  return new Map(
    resourcesOf<Deployed>(template, "AWS::Lambda::Function").map(([, { Role, Environment }]) => [
      Environment.Variables.SERVICE,
      permissionsOf(template, Role["Fn::GetAtt"][0]),
    ]),
  );
}
const textOf = (name: string, { action, resource, keys = [] }: Permission) =>
  [name, action, resource, ...keys].join(" ");

/** Accesses that no permission of their function's role covers. */
function refused(permissions: Map<string, Permission[]>): string[] {
  const faults = made().filter(
    ({ name, access }) => !permissions.get(name)?.some((one) => allows(one, access)),
  );
  return [
    ...new Set(
      faults.map(({ name, access }) => `${name} ${access.action} ${access.resource} ${access.key ?? ""}`),
    ),
  ];
}

describe("a run of everything", () => {
  it("needs no more than the roles of its functions allow", () => {
    const permissions = permissionsByFunction();
    expect(new Set(made().map(({ name }) => name))).toEqual(new Set(permissions.keys()));
    expect(refused(permissions)).toEqual([]);
  });

  it("would be refused with a permission less, whichever of those it uses", () => {
    const accesses = made();
    for (const [name, all] of permissionsByFunction()) {
      const own = accesses.filter((access) => access.name === name);
      const texts = new Set(all.map((one) => textOf(name, one)));
      for (const text of texts) {
        const left = all.filter((one) => textOf(name, one) !== text);
        const used = own.some(({ access }) =>
          all.some((one) => textOf(name, one) === text && allows(one, access)),
        );
        const missed = own.some(({ access }) => !left.some((one) => allows(one, access)));
        if (used !== missed) throw new Error(`${text} is allowed twice`);
      }
    }
  });

  it("uses every permission but those that are known to be for other days", () => {
    const accesses = made();
    const unused = [...permissionsByFunction()].flatMap(([name, all]) =>
      all
        .filter((one) => !accesses.some((access) => access.name === name && allows(one, access.access)))
        .map((one) => textOf(name, one)),
    );
    expect(unused.filter((text) => !UNREACHED.some(([pattern]) => pattern.test(text)))).toEqual([]);
    const all = [...permissionsByFunction()].flatMap(([name, ones]) => ones.map((one) => textOf(name, one)));
    for (const [pattern] of UNREACHED)
      expect(
        all.some((text) => pattern.test(text)),
        String(pattern),
      ).toBe(true);
  });
});
