import canonicalize from "canonicalize";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";

/**
 * SHA-256 of the canonical JSON (RFC 8785) of `value`: the same for equal values, whatever their key order.
 * Throws RejectedInput `TEXT_NOT_UNICODE` for half a character, which has no JSON that all read alike (RFC 7493).
 */
export function sourceHash(value: unknown): string {
  const text = canonical(value);
  if (text === undefined) throw new TypeError("only JSON values have a source hash");
  return sha256(text);
}

function canonical(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch (cause) {
    if (!/surrogate/i.test(String(cause))) throw cause;
    throw new RejectedInput("TEXT_NOT_UNICODE", "A text has half a character (a lone surrogate) in it.", {
      cause,
    });
  }
}

/** The name of one effect: the same step with the same input has the same key wherever it is computed. */
export function idempotencyKey(parts: {
  tenant: string;
  task_id: string;
  step: string;
  round: number;
  source_hash: string;
}): string {
  const { tenant, task_id, step, round, source_hash } = parts;
  return sourceHash({ tenant, task_id, step, round, source_hash });
}
