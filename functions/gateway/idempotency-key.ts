import { HttpError } from "#lib/platform/errors/http-error.ts";
import { IdempotencyKey } from "#schemas/http/idempotency-key.ts";

/** Refuses a malformed `Idempotency-Key` header. Throws HttpError 400 `IDEMPOTENCY_KEY_INVALID`. */
export function checkIdempotencyKey(key: string | undefined): void {
  if (key === undefined || IdempotencyKey.safeParse(key).success) return;
  throw new HttpError("IDEMPOTENCY_KEY_INVALID", "Idempotency-Key takes 1 to 255 visible ASCII characters");
}
