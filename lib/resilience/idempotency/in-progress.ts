import { ParkedFault } from "#lib/platform/errors/fault.ts";

/** The same work is being done by another call, or waits for its next try: ask again after `retry_after_ms`. */
export class InProgress extends ParkedFault {
  constructor(name: string, retry_after_ms: number) {
    super("IN_PROGRESS", `${name} is in progress elsewhere; try again in ${Math.ceil(retry_after_ms)} ms`, {
      retry_after_ms,
    });
  }
}
