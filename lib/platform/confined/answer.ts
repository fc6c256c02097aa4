import { Fault, faultOf } from "#lib/platform/errors/fault.ts";

/** What the child process answers to a request. */
export type Answer =
  | { kind: "result"; value: unknown; resident_bytes: number }
  | { kind: "error"; error: SentError; resident_bytes: number };

/** An error as it crosses the pipe: without its stack and cause. */
export interface SentError {
  /** Of a `Fault`: what becomes of the work. */
  disposition: Fault["disposition"] | undefined;
  name: string;
  /** Of a `Fault`, or of the operating system, as `ENOSPC`. */
  code: string | undefined;
  message: string;
}

const MESSAGE_CHARACTERS_MAX = 4000;

/** An error in the child, made ready to be sent. */
export function sentError(error: unknown): SentError {
  const { name, message, code } = (error instanceof Error ? error : new Error(String(error))) as Error & {
    code?: unknown;
  };
  return {
    disposition: error instanceof Fault ? error.disposition : undefined,
    name,
    code: typeof code === "string" ? code : undefined,
    message: message.slice(0, MESSAGE_CHARACTERS_MAX),
  };
}

/** The error again, of the same class when it was a `Fault`, with the same code. */
export function receivedError({ disposition, name, code, message }: SentError): Error {
  if (disposition !== undefined && code !== undefined) return faultOf(disposition, code, message);
  return Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });
}
