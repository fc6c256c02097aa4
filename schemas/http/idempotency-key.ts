import { z } from "zod";

/** Header `Idempotency-Key` of `POST /api/tasks`. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/)
  .describe("the same key and body answer the same task, however often they are sent");
