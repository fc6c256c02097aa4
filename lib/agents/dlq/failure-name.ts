import type { FailurePlace } from "#lib/agents/dlq/failure-store.ts";

/** The name of a failure in the API: `<tenant>.<id>`, with a dot for each `#` of the id. */
export function failureName({ tenant, failure_id }: FailurePlace): string {
  return `${tenant}.${failure_id.replaceAll("#", ".")}`;
}

/** The failure of a name. Whatever the name is, the place is well-formed; there may be no failure there. */
export function failurePlace(name: string): FailurePlace {
  const [tenant = "", ...id] = name.split(".");
  return { tenant, failure_id: id.join("#") };
}

/** The tenant of messages that cannot be read. Only operator tenants see their failures. */
export const UNKNOWN_TENANT = "unknown";
