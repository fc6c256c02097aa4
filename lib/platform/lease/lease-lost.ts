import { ParkedFault } from "#lib/platform/errors/fault.ts";

/** The lease went to another worker (or the step was canceled): stop, write nothing, let the message come back. */
export class LeaseLost extends ParkedFault {
  /** `name` as in `step codegen`. */
  constructor(name: string) {
    super("LEASE_LOST", `another worker owns ${name} now; this one leaves it alone`);
  }
}
