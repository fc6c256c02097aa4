import { listCircuits, type SharedState } from "#lib/circuit/circuit-table.ts";
import { circuitView } from "#lib/circuit/circuit-view.ts";
import { commandCircuit } from "#lib/circuit/command-circuit.ts";
import { config } from "#lib/config/config.ts";
import { type Route, route } from "#lib/http/define-api.ts";
import { HttpError } from "#lib/http/http-error.ts";
import { CircuitCommand, type Circuits } from "#schemas/http/circuits.ts";
import { gatewayPorts } from "./dependencies.ts";

/** The scope an operator's commands need; a route names it in `access`. */
const OPERATOR_ACCESS = "key";

/** The circuits, and an operator's word on them. */
export const circuitRoutes: Record<string, Route> = {
  "GET /api/circuits": route({
    access: "key",
    run: async ({ tenant, platform }) => {
      const { value, hash } = config.circuitBreaker();
      const now = platform.runtime.now();
      const shown = (await listCircuits(gatewayPorts(platform))).filter(visibleTo(tenant));
      const circuits = shown.map((state) => circuitView(state, value, now));
      const body: Circuits = { policy_hash: hash, circuits };
      return { status: 200, body };
    },
  }),

  "POST /api/circuits/{key}": route({
    access: OPERATOR_ACCESS,
    body: CircuitCommand,
    run: async ({ tenant, params, body, headers, platform, log, counters }) => {
      const ports = { ...gatewayPorts(platform), log, counters };
      const key = params.key ?? "";
      const { value, hash: policy_hash } = config.circuitBreaker();
      const known = (await listCircuits(ports)).filter(visibleTo(tenant)).map(({ record }) => record.key);
      const by = keyIdOf(headers);
      const state = known.includes(key)
        ? await commandCircuit(key, body, { by, policy_hash }, ports)
        : undefined;
      if (!state) {
        throw new HttpError(
          404,
          "CIRCUIT_UNKNOWN",
          `there is no circuit ${key}; a circuit is known from its first call on, and GET /api/circuits lists them`,
        );
      }
      return { status: 200, body: circuitView(state, value, platform.runtime.now()) };
    },
  }),
};

/** A tenant's own circuit is that tenant's business. */
function visibleTo(tenant: string): (state: SharedState) => boolean {
  return ({ record }) => record.tenant === undefined || record.tenant === tenant;
}

/** The public part of the API key the request was let in with. */
function keyIdOf({ authorization = "" }: Record<string, string>): string {
  return /dak_([0-9a-f]{16})_/.exec(authorization)?.[1] ?? "unknown";
}
