import canonicalize from "canonicalize";
import { sha256 } from "#lib/platform/hash/sha256.ts";

/** SHA-256 of the canonical JSON (RFC 8785) of `value`: the same for equal values, whatever their key order. */
export function sourceHash(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("only JSON values have a source hash");
  return sha256(text);
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
