import { faultOf, TerminalFault } from "#lib/platform/errors/fault.ts";
import type { IdempotencyRecord } from "#schemas/records/idempotency.ts";

/** DynamoDB takes items of up to 400 KB (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html). */
const RESPONSE_BYTES_MAX = 350_000;
const REASON_CHARACTERS_MAX = 500;
const ADVICE = "let the work return a reference to what it made";

type StoredResponse = Pick<IdempotencyRecord, "response_text" | "response_refused">;

/**
 * A response as it is kept. One that cannot be kept does not undo the work: the record says so,
 * and why, so that a duplicate is refused with that code instead of doing the work again.
 */
export function storedResponse(response: unknown): StoredResponse {
  let response_text: string | undefined;
  try {
    response_text = JSON.stringify(response);
  } catch (error) {
    const reason = String(error).slice(0, REASON_CHARACTERS_MAX);
    return refused(new TerminalFault("RESPONSE_NOT_JSON", `the response is no JSON (${reason}): ${ADVICE}`));
  }
  if (response_text === undefined) return {};
  const bytes = Buffer.byteLength(response_text);
  if (bytes <= RESPONSE_BYTES_MAX) return { response_text };
  const sentence = `the response has ${bytes} bytes, more than the ${RESPONSE_BYTES_MAX} that are kept: ${ADVICE}`;
  return refused(new TerminalFault("RESPONSE_TOO_LARGE", sentence));
}

function refused({ code, message }: TerminalFault): StoredResponse {
  return { response_refused: { code, message } };
}

/**
 * The kept response, for a duplicate.
 * @throws TerminalFault `RESPONSE_TOO_LARGE`, `RESPONSE_NOT_JSON`
 */
export function restoredResponse(name: string, record: IdempotencyRecord): unknown {
  const { response_text, response_refused } = record;
  if (response_refused) {
    const { code, message } = response_refused;
    throw faultOf(
      "terminal",
      code,
      `${name} was done at ${record.ended_at} and is not repeated, but ${message}`,
    );
  }
  return response_text === undefined ? undefined : JSON.parse(response_text);
}
