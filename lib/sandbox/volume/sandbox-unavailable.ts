import { TerminalFault } from "#lib/platform/errors/fault.ts";

/**
 * This machine cannot provide the isolation that a profile demands, or a sandbox did not start. The submitted work is
 * not at fault: agents report the verdict `error` and never run with less isolation.
 */
export class SandboxUnavailable extends TerminalFault {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super("SANDBOX_UNAVAILABLE", message, options);
  }
}
