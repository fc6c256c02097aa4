import { z } from "zod";
import { type Route, route } from "#lib/http/route.ts";
import { config } from "#lib/platform/config/config.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import { listCircuits, type SharedState } from "#lib/resilience/circuit/circuit-table.ts";
import { circuitView, commandCircuit } from "#lib/resilience/circuit/operate-circuit.ts";
import { CircuitCommand, Circuits, CircuitView } from "#schemas/http/circuits.ts";
import { administrator } from "./administrator.ts";
import { gatewayPorts } from "./dependencies.ts";

const FIRST = { "POST /api/circuits/{key}": { key: "$response.body#/circuits/0/key" } };

/** The circuits, and an operator's word on them. */
export const circuitRoutes: Record<string, Route> = {
  "GET /api/circuits": route({
    access: "key",
    scope: "read",
    summary: "List the circuits",
    answers: {
      200: {
        says: "Every circuit that was called through in the last 30 days",
        schema: Circuits,
        links: FIRST,
      },
    },
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
    access: "key",
    scope: "operate",
    summary: "Force a circuit open or closed, or reset it",
    params: { key: z.string().min(1).max(300).describe("as GET /api/circuits lists it") },
    body: CircuitCommand,
    answers: { 200: { says: "The circuit after the command", schema: CircuitView } },
    codes: { 403: ["OPERATOR_TENANT_REQUIRED"], 404: ["CIRCUIT_NOT_FOUND"] },
    run: async (request) => {
      const { tenant, params, body, platform, log, counters } = request;
      const ports = { ...gatewayPorts(platform), log, counters };
      const key = params.key ?? "";
      const { value, hash: policy_hash } = config.circuitBreaker();
      const found = (await listCircuits(ports))
        .filter(visibleTo(tenant))
        .find(({ record }) => record.key === key);
      if (!found) throw unknownCircuit(key);
      const operators = config.authentication().value.operator_tenants;
      if (found.record.tenant === undefined && !operators.includes(tenant)) throw sharedCircuit(key);
      const { action, why } = body;
      const { subject: by, audited } = administrator(request);
      const state = await audited({ action: `circuit.${action}`, target: key, detail: { why } }, () =>
        commandCircuit(key, body, { by, policy_hash }, ports),
      );
      if (!state) throw unknownCircuit(key);
      return { status: 200, body: circuitView(state, value, platform.runtime.now()) };
    },
  }),
};

function unknownCircuit(key: string): HttpError {
  return new HttpError(
    "CIRCUIT_NOT_FOUND",
    `there is no circuit ${key}; a circuit is known from its first call on, and GET /api/circuits lists them`,
  );
}

function sharedCircuit(key: string): HttpError {
  return new HttpError(
    "OPERATOR_TENANT_REQUIRED",
    `${key} is shared by all tenants; only operators of operator_tenants in configs/authentication.json command it`,
  );
}

/** A tenant's own circuit is that tenant's business. */
function visibleTo(tenant: string): (state: SharedState) => boolean {
  return ({ record }) => record.tenant === undefined || record.tenant === tenant;
}
