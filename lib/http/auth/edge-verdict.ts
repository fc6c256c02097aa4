import { z } from "zod";
import type { Verdict } from "#lib/http/auth/identity.ts";
import { Instant, Tenant } from "#schemas/primitives.ts";
import { Scope, Subject } from "#schemas/records/api-key.ts";

/** What the authorizer hands a function through API Gateway: flat text, as a context may hold. */
const EdgeContext = z.union([
  z.strictObject({ verdict: z.literal("refused"), reason: z.string() }),
  z.strictObject({
    verdict: z.literal("identity"),
    tenant: Tenant,
    subject: Subject,
    scopes: z
      .string()
      .transform((text) => text.split(" ").filter((scope) => scope !== ""))
      .pipe(z.array(Scope)),
    valid_until: z.union([z.literal(""), Instant]),
  }),
]);

const REASON_CHARACTERS_MAX = 300;

/** A verdict as an authorizer's context. */
export function toEdgeContext(verdict: Verdict): Record<string, string> {
  if ("refused" in verdict) {
    return { verdict: "refused", reason: verdict.refused.slice(0, REASON_CHARACTERS_MAX) };
  }
  const { tenant, subject, scopes, valid_until = "" } = verdict.identity;
  return { verdict: "identity", tenant, subject, scopes: scopes.join(" "), valid_until };
}

/** The verdict in an event's `requestContext.authorizer.lambda`; undefined when there is none to go by. */
export function fromEdgeContext(context: unknown): Verdict | undefined {
  const parsed = EdgeContext.safeParse(context);
  if (!parsed.success) return undefined;
  if (parsed.data.verdict === "refused") return { refused: parsed.data.reason };
  const { tenant, subject, scopes, valid_until } = parsed.data;
  return { identity: { tenant, subject, scopes, valid_until: valid_until || undefined } };
}
