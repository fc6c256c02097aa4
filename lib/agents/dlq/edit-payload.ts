import { createTwoFilesPatch } from "diff";
import type { ReplayPorts } from "#lib/agents/dlq/dead-letter-queue.ts";
import { type ExpectedReplay, expectReplay } from "#lib/agents/dlq/expect-replay.ts";
import type { ListedFailure } from "#lib/agents/dlq/failure-lists.ts";
import { redacted, restoreSecrets } from "#lib/agents/dlq/redact-values.ts";
import { failedMessage } from "#lib/agents/dlq/replay-message.ts";
import { agentMessages } from "#lib/platform/config/agent-messages.ts";
import type { ErrorCode } from "#lib/platform/errors/codes.ts";
import { REDACTED } from "#lib/platform/log/redact-secrets.ts";
import { editedEnvelope } from "#lib/platform/messages/envelope.ts";
import { readPayload } from "#lib/platform/messages/send-envelope.ts";
import { WEBHOOKS } from "#lib/work/webhooks/delivery.ts";
import type { Envelope } from "#schemas/messages/envelope.ts";

/** The step's record keeps an edited payload; a ledger is read often. */
const PAYLOAD_BYTES_MAX = 65_536;
const ISSUES_MAX = 20;

/** What an operator wants changed: the whole payload, or a JSON merge patch of it (RFC 7396). */
export type PayloadChange = { payload: unknown } | { patch: unknown };

/** A message with another payload, or why there is none. */
export type EditedMessage =
  | { edited: Envelope; diff: string }
  | {
      refused: Extract<ErrorCode, "EDIT_NOT_POSSIBLE" | "PAYLOAD_INVALID">;
      says: string;
      /** JSON pointers into the payload, where its agent's schema refuses it. */
      errors?: { path: string; message: string }[];
      /** The difference, where there was a payload to compare. */
      diff?: string;
    };

/**
 * The message of an open failure with its payload changed and checked by its agent's input schema. `[redacted]` in the
 * place of a secret keeps the secret. Writes nothing.
 */
export async function editMessage(
  failure: Pick<ListedFailure, "tenant" | "failure_id" | "record">,
  change: PayloadChange,
  ports: Pick<ReplayPorts, "blobsOf">,
): Promise<EditedMessage> {
  const { envelope, service } = failedMessage({ ...failure, position: "" });
  if (!envelope) return notPossible("its message is no envelope; send the work again instead");
  const schema = Object.hasOwn(agentMessages, service) ? agentMessages[service]?.Input : undefined;
  if (!schema || service === WEBHOOKS) return notPossible(`the messages of ${service} cannot be edited`);
  const before = await readPayload(envelope, ports);
  const wanted = "patch" in change ? mergePatch(before, change.patch) : change.payload;
  const { value: payload, left } = restoreSecrets(before, wanted);
  const diff = payloadDiff(before, payload);
  const [path] = left;
  if (path !== undefined) {
    const says = `${path} has ${REDACTED}, which stands for no secret of the original there; give the value itself`;
    return { ...invalid(says, [{ path, message: `${REDACTED} is no value` }]), diff };
  }
  if (Buffer.byteLength(JSON.stringify(payload)) > PAYLOAD_BYTES_MAX) {
    const says = `an edited payload has ${PAYLOAD_BYTES_MAX} bytes at most`;
    return { ...invalid(says, [{ path: "", message: says }]), diff };
  }
  const parsed = schema.safeParse(payload);
  if (!parsed.success) {
    const errors = parsed.error.issues.slice(0, ISSUES_MAX).map(({ path, message }) => ({
      path: path.map((part) => `/${String(part)}`).join(""),
      message,
    }));
    const issues = errors.map(({ path: at, message }) => (at === "" ? message : `${at} ${message}`));
    const says = `the payload is no input of ${service}: ${issues.join("; ").slice(0, 500)}`;
    return { ...invalid(says, errors), diff };
  }
  const edited = editedEnvelope(envelope, payload);
  if (edited.source_hash === envelope.source_hash) {
    return { ...notPossible("the payload is the same; replay the failure unchanged"), diff };
  }
  return { edited, diff };
}

function notPossible(says: string) {
  return { refused: "EDIT_NOT_POSSIBLE" as const, says };
}

function invalid(says: string, errors: { path: string; message: string }[]) {
  return { refused: "PAYLOAD_INVALID" as const, says, errors };
}

/** What an edit of an open failure would do. Reads its task's ledger and writes nothing. */
export async function expectEdit(failure: ListedFailure, ports: ReplayPorts): Promise<ExpectedReplay> {
  const expected = await expectReplay(failure, { replays_per_message_max: Number.POSITIVE_INFINITY }, ports);
  if (expected.expectation !== "run" || expected.reason === "STEP_REARMED") return expected;
  const says = "the step has not ended, so it keeps its input; replay it unchanged";
  return { expectation: "not_possible", reason: "STEP_NOT_DUE", says };
}

/** JSON merge patch: null takes a field away. https://www.rfc-editor.org/rfc/rfc7396#section-2 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

/** A unified diff of two payloads as sorted and indented JSON, without what looks like a secret. Empty: the same. */
export function payloadDiff(before: unknown, after: unknown): string {
  const text = (value: unknown) => `${JSON.stringify(sorted(redacted(value)), null, 2)}\n`;
  if (text(before) === text(after)) return "";
  const patch = createTwoFilesPatch("original", "edited", text(before), text(after), "", "", { context: 3 });
  return patch.replace(/^=+\n/, "");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, one]) => [name, sorted(one)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
