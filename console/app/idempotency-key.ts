/** 128 random bits for the header `Idempotency-Key`. `crypto.randomUUID` is not there on a page without TLS. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
