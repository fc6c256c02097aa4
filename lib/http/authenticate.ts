import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { Platform } from "#lib/agent/platform.ts";
import { tenantOfApiKey } from "#lib/auth/api-keys.ts";
import { HttpError } from "#lib/http/http-error.ts";

/** Whose data a developer's own stack shows without a key. */
const LOCAL_TENANT = "local";

/** The tenant a request acts for. Throws HttpError 401, the same for every wrong key. */
export async function authenticate(
  access: "key" | "key-or-local",
  event: APIGatewayProxyEventV2,
  headers: Record<string, string>,
  { table, settings, runtime }: Pick<Platform, "table" | "settings" | "runtime">,
): Promise<string> {
  const [scheme, presented] = (headers.authorization ?? "").split(" ");
  if (!scheme && access === "key-or-local" && settings.stage === "local" && fromLoopback(event, headers)) {
    return LOCAL_TENANT;
  }
  if (scheme?.toLowerCase() === "bearer" && presented) {
    const tenant = await tenantOfApiKey(presented, { table, table_name: settings.table_name, runtime });
    if (tenant) return tenant;
  }
  throw new HttpError(401, "UNAUTHENTICATED", "send a valid API key as authorization: Bearer dak_…");
}

const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;
const LOOPBACK_ADDRESS = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

/** Source and Host: a page elsewhere that rebinds its name to loopback still sends its own Host. */
function fromLoopback(event: APIGatewayProxyEventV2, headers: Record<string, string>): boolean {
  return LOOPBACK_ADDRESS.test(event.requestContext.http.sourceIp) && LOOPBACK_HOST.test(headers.host ?? "");
}
