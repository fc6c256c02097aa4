import { isIP, type LookupFunction } from "node:net";
import { AddressForbidden } from "#lib/platform/outbound/address-forbidden.ts";
import { type Lookup, resolveHost } from "#lib/platform/outbound/resolve-host.ts";
import type { OutboundRules } from "#schemas/config/outbound.ts";

/**
 * For `lookup` of a socket: the socket connects to the very addresses that were checked, so a name that
 * answers differently a moment later (DNS rebinding) gains nothing. Fails with `AddressForbidden`.
 */
export function pinnedLookup(rules: Pick<OutboundRules, "addresses">, lookup?: Lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolveHost(hostname, rules, lookup).then(
      (resolved) => {
        switch (resolved.kind) {
          case "addresses": {
            const found = resolved.addresses.map((address) => ({ address, family: isIP(address) }));
            const [first = { address: "", family: 4 }] = found;
            return options.all ? callback(null, found) : callback(null, first.address, first.family);
          }
          case "forbidden":
            return callback(new AddressForbidden(hostname), []);
          case "unknown":
            return callback(named("ENOTFOUND", `there is no host ${hostname}`), []);
          case "unanswered":
            return callback(named("EAI_AGAIN", `the name ${hostname} could not be resolved now`), []);
        }
      },
      (error: unknown) => callback(error as Error, []),
    );
  };
}

function named(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
