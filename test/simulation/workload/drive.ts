import { idempotencyKey, sourceHash } from "#lib/platform/hash/source-hash.ts";
import { Envelope } from "#schemas/messages/envelope.ts";
import type { World } from "../engine/world.ts";
import type { Client } from "./client.ts";
import type { Stack } from "./stack.ts";
import { drawSubmission, TENANTS } from "./submissions.ts";

/** Plans what happens to the system while faults go on: work, and mischief. */
export function drive(world: World, stack: Stack, client: Client): void {
  const { random, faults } = world;
  const at = (label: string, action: () => void) =>
    world.scheduler.after(random.int(0, faults.duration_ms), label, action);

  const tasks = random.chance(0.1) ? random.int(3, 6) : random.int(1, 3);
  for (let index = 0; index < tasks; index += 1) planTask(world, client, at);
  for (let index = random.int(0, 2); index > 0; index -= 1) at("poison", () => injectPoison(world, stack));
  for (let index = random.int(0, 2); index > 0; index -= 1) at("copies", () => injectCopies(world, stack));
  for (let index = random.int(0, 2); index > 0; index -= 1) at("forgery", () => injectMismatch(world, stack));
  for (let index = 0; index < faults.restarts; index += 1) at("restart", stack.restart);
}

type Plan = (label: string, action: () => void) => void;

function planTask({ random, faults, scheduler }: World, client: Client, at: Plan): void {
  const tenant = random.pick(TENANTS);
  const submission = drawSubmission(random);
  const idempotency_key = random.chance(0.7) ? `key-${random.int(0, 9)}` : undefined;
  const cancel = random.chance(0.25) ? random.int(0, faults.duration_ms) : undefined;
  const submit = () =>
    client.submit({ tenant, submission, idempotency_key }, ({ task_id }) => {
      if (cancel !== undefined) scheduler.after(cancel, "cancel", () => client.cancel(tenant, task_id));
    });
  at("submit", submit);
  if (idempotency_key === undefined) return;
  if (random.chance(0.3)) at("submit again", submit);
  if (!random.chance(0.15)) return;
  const other = { ...drawSubmission(random), repository: "another" };
  at("submit another", () => client.submit({ tenant, submission: other, idempotency_key }, () => undefined));
}

const POISON = ["", "not json", "{}", '{"schema_version":1}', "null", "[1,2]"];

function injectPoison(world: World, stack: Stack): void {
  const { service } = world.random.pick(world.deployment.functions);
  const body = `${world.random.pick(POISON)} ${world.random.hex(4)}`;
  stack.watch.poison.add(body);
  stack.inject(service, body);
  world.count("poison messages");
}

function someMessage({ random, queues }: World) {
  const found = [...queues.values()]
    .filter(({ name }) => !name.endsWith("-dlq"))
    .flatMap(({ name, messages }) => [...messages.values()].map((message) => ({ service: name, message })));
  return found.length > 0 ? random.pick(found) : undefined;
}

/** The same message again, sometimes a hundred times. */
function injectCopies(world: World, stack: Stack): void {
  const chosen = someMessage(world);
  if (!chosen) return;
  const { service, message } = chosen;
  const copies = world.random.chance(0.02) ? 99 : world.random.int(1, 4);
  for (let index = 0; index < copies; index += 1) stack.inject(service, message.body, message.attributes);
  world.count("copies injected", copies);
}

/** A message for a claimed step with another input than the step was claimed with. */
function injectMismatch(world: World, stack: Stack): void {
  const chosen = someMessage(world);
  if (!chosen || chosen.service === "orchestrator" || stack.watch.poison.has(chosen.message.body)) return;
  const envelope = Envelope.parse(JSON.parse(chosen.message.body));
  const { tenant, task_id, step, round, service } = envelope;
  const claimed = world.table.get({ pk: `TASK#${tenant}#${task_id}`, sk: `STEP#${step}#${round}` });
  if (!claimed) return;
  const payload = { ...(envelope.payload as object), forged: world.random.hex(4) };
  const source_hash = sourceHash({ service, payload });
  const idempotency_key = idempotencyKey({ tenant, task_id, step, round, source_hash });
  const forged = { ...envelope, payload, source_hash, idempotency_key };
  stack.inject(service, JSON.stringify(forged), chosen.message.attributes);
  world.count("mismatches injected");
}
