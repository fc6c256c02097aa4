import { RejectedInput } from "#lib/platform/errors/fault.ts";

/**
 * A host leads to an address that must not be connected to. Trying again changes nothing. Which address it
 * is stays unsaid: it would tell strangers of the names inside.
 */
export class AddressForbidden extends RejectedInput {
  constructor(host: string) {
    super(
      "ADDRESS_FORBIDDEN",
      `${host} leads to an address that is not public. Name a host that the internet can reach.`,
    );
  }
}
