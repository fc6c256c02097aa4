import { TerminalFault } from "#lib/platform/errors/fault.ts";

/**
 * The isolation a profile demands is not to be had on this machine, or a sandbox did not start.
 * The submitted work is not at fault: agents report verdict `error`, and never run with less.
 */
export class SandboxUnavailable extends TerminalFault {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super("SANDBOX_UNAVAILABLE", message, options);
  }
}
