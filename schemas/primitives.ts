import { z } from "zod";
import "./issue-sentence.ts";

/** Lower-case hex SHA-256 of some bytes. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe("SHA-256, lower-case hex");

/** Tenant: the unit of isolation, fairness and billing. */
export const Tenant = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,38}$/)
  .describe("tenant id: 1-39 of a-z 0-9 -");

export const TaskId = z
  .string()
  .regex(/^task_[0-9a-hjkmnp-tv-z]{26}$/)
  .describe("task id: task_ and 26 characters of Crockford base32, lower-case");

/** The name of one step in a workflow, for example `buildtest`. */
export const StepName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/)
  .describe("step name in the workflow");

export const Round = z
  .int()
  .min(0)
  .max(9)
  .describe("0 for the first try of a step, 1 and up for repair rounds");

/** A stable, documented error code such as `DIFF_DOES_NOT_APPLY`. */
export const ErrorCode = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{2,63}$/)
  .describe("stable error code");

export const Instant = z.iso.datetime().describe("RFC 3339 instant in UTC");

/** Of a text for people: at least one character that can be seen. */
export const SAYS_SOMETHING = /[!-~\u00a1-\uffff]/;

/**
 * Of a text that is handed to a program, as a command or a name: no control character but tab and line feed. NUL
 * would end it early, or make starting the program fail.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
export const NO_CONTROLS = /^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$/;

/** Of a name or a remark that is shown on one line: no control character at all. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
export const ONE_LINE = /^[^\u0000-\u001f\u007f-\u009f]*$/;

/** Characters of the bytes that a reference may carry. */
export const INLINE_CHARACTERS_MAX = 4096;

/** Bytes named by their content: in the artifact bucket, or, when they are few, in the reference itself. */
export const BlobRef = z.strictObject({
  key: z.string().min(1).max(1024).describe("object key in the artifact bucket"),
  sha256: Sha256,
  bytes: z.int().min(0).describe("size in bytes"),
  inline: z
    .string()
    .max(INLINE_CHARACTERS_MAX)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/)
    .describe("the bytes, as raw DEFLATE in base64; then no object need stand at `key`")
    .optional(),
});
export type BlobRef = z.infer<typeof BlobRef>;

export const TraceId = z
  .string()
  .regex(/^(?!0{32})[0-9a-f]{32}$/)
  .describe("W3C trace id");

export const SpanId = z
  .string()
  .regex(/^(?!0{16})[0-9a-f]{16}$/)
  .describe("W3C span id");

/** `passed`: as wished. `failed`: the submitted work is at fault. `error`: the platform or its surroundings are. */
export const Verdict = z.enum(["passed", "failed", "error"]);
export type Verdict = z.infer<typeof Verdict>;
