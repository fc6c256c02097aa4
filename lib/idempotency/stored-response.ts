import { TerminalFault } from "#lib/errors/fault.ts";
import type { IdempotencyRecord } from "#schemas/records/idempotency.ts";

/** DynamoDB takes items of up to 400 KB (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html). */
const RESPONSE_BYTES_MAX = 350_000;

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
    return refused("RESPONSE_NOT_JSON", `its response is no JSON: ${String(error).slice(0, 500)}`);
  }
  if (response_text === undefined) return {};
  const bytes = Buffer.byteLength(response_text);
  if (bytes <= RESPONSE_BYTES_MAX) return { response_text };
  return refused("RESPONSE_TOO_LARGE", `its response has ${bytes} bytes, of ${RESPONSE_BYTES_MAX} kept`);
}

function refused(code: string, message: string): StoredResponse {
  return { response_refused: { code, message } };
}

/**
 * The kept response, for a duplicate.
 * @throws TerminalFault `RESPONSE_TOO_LARGE`, `RESPONSE_NOT_JSON`
 */
export function restoredResponse(name: string, record: IdempotencyRecord): unknown {
  const { response_text, response_refused } = record;
  if (response_refused) {
    const advice = "let it return a reference to what it made";
    throw new TerminalFault(
      response_refused.code,
      `${name} was done at ${record.ended_at} and is not done again, but ${response_refused.message}; ${advice}`,
    );
  }
  return response_text === undefined ? undefined : JSON.parse(response_text);
}
