import { replaysOf } from "#lib/agents/dlq/count-replays.ts";
import { readEnvelope } from "#lib/agents/dlq/dead-letter-queue.ts";
import { failureName, failurePlace, UNKNOWN_TENANT } from "#lib/agents/dlq/failure-name.ts";
import { deadLetter, readFailure } from "#lib/agents/dlq/failure-store.ts";
import { failureFacts, fingerprint } from "#lib/platform/errors/failure.ts";
import { faultOf } from "#lib/platform/errors/fault.ts";
import { instant } from "#lib/platform/runtime/runtime.ts";
import type { ExportedFailure, FailureImport, FailuresImported } from "#schemas/http/dead-letters.ts";
import type { FailureRecord } from "#schemas/records/failure.ts";
import { findFailureOf, listFailures, type Viewer } from "./failures.ts";
import type { GatewayPorts } from "./ports.ts";
import type { FailureQuery } from "./queries.ts";

/** Bytes of one page of an export. A Lambda function answers 6 MB at most. */
const PAGE_BYTES_MAX = 4_000_000;

/** One page of an export: a line of JSON for each open failure, latest first, and the cursor of the next page. */
export async function exportFailures(
  viewer: Viewer,
  query: FailureQuery,
  ports: GatewayPorts,
): Promise<{ lines: string; next_cursor: string | null }> {
  let page = await listFailures(viewer, query, ports);
  for (let limit = query.limit; ; limit = Math.max(1, Math.floor(limit / 2))) {
    if (limit < query.limit) page = await listFailures(viewer, { ...query, limit }, ports);
    const records = await Promise.all(
      page.failures.map(({ failure }) => findFailureOf(viewer, failure, ports)),
    );
    const lines = records
      .map(({ record, ...place }) => `${JSON.stringify(exported(failureName(place), record))}\n`)
      .join("");
    if (Buffer.byteLength(lines) <= PAGE_BYTES_MAX || limit === 1)
      return { lines, next_cursor: page.next_cursor };
  }
}

function exported(failure: string, record: FailureRecord): ExportedFailure {
  const { service, code, message, cause_chain, attempts, first_at, last_at } = record;
  const { function_name, request_id, policy_hash, body } = record;
  const replays = replaysOf({ record }, readEnvelope(body));
  const facts = {
    code,
    message,
    cause_chain,
    attempts,
    first_at,
    last_at,
    function_name,
    request_id,
    policy_hash,
  };
  return { failure, queue: service, ...facts, replays, body };
}

type Imported = FailuresImported["results"][number];

/**
 * Records exported failures again and puts their messages into the dead-letter queues. One that is recorded stays as
 * it is, so that an import may be repeated.
 */
export async function importFailures(
  viewer: Viewer,
  { failures }: FailureImport,
  ports: GatewayPorts,
): Promise<FailuresImported> {
  const results: Imported[] = [];
  for (const line of failures) results.push(await importFailure(viewer, line, ports));
  return { results };
}

async function importFailure(viewer: Viewer, line: ExportedFailure, ports: GatewayPorts): Promise<Imported> {
  const place = failurePlace(line.failure);
  const envelope = readEnvelope(line.body);
  const refused = whyRefused(viewer, line, ports);
  if (refused) return { failure: line.failure, did: "refused", code: "IMPORT_REFUSED", says: refused };
  if (await readFailure(place.tenant, place.failure_id, ports)) {
    return {
      failure: line.failure,
      did: "exists",
      code: "FAILURE_EXISTS",
      says: "it is recorded; nothing was changed",
    };
  }
  const facts = { code: line.code, message: line.message, cause_chain: line.cause_chain };
  const {
    queue: service,
    replays,
    attempts,
    first_at,
    last_at,
    function_name,
    request_id,
    policy_hash,
  } = line;
  const record: FailureRecord = {
    ...failureFacts(faultOf("terminal", line.code, line.message)),
    cause_chain: line.cause_chain,
    fingerprint: fingerprint(service, facts),
    message_id: envelope?.message_id ?? place.failure_id,
    tenant: place.tenant,
    service,
    ...(envelope && {
      task_id: envelope.task_id,
      step: envelope.step,
      round: envelope.round,
      trace_id: envelope.trace_id,
      idempotency_key: envelope.idempotency_key,
    }),
    attempts,
    first_at,
    last_at,
    function_name,
    request_id,
    policy_hash,
    ...(replays > 0 && { replay_count: replays }),
    recorded_at: instant(ports.runtime.now()),
    body: line.body,
  };
  const dead_letter_queue_url = ports.deadLetterQueueUrl(service);
  await deadLetter(record, place.failure_id, line.body, { ...ports, dead_letter_queue_url });
  return { failure: line.failure, did: "imported", code: "FAILURE_IMPORTED", says: "it is open" };
}

/** Why a line is not imported; undefined when it may be. */
function whyRefused(viewer: Viewer, line: ExportedFailure, ports: GatewayPorts): string | undefined {
  const { tenant } = failurePlace(line.failure);
  const envelope = readEnvelope(line.body);
  if (!viewer.sees_all && tenant !== viewer.tenant) return "it is another tenant's failure";
  if (!ports.services().includes(line.queue)) return `there is no queue ${line.queue}`;
  if (envelope && envelope.tenant !== tenant) return "its message is another tenant's";
  if (!envelope && !(viewer.sees_all && tenant === UNKNOWN_TENANT)) {
    return "its message is no envelope; only operator tenants import such";
  }
  return undefined;
}
