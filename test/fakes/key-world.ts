import { GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { CredentialPorts } from "#lib/http/auth/verify-credential.ts";
import type { AuthenticationConfig } from "#schemas/config/authentication.ts";

export const AUTHENTICATION: AuthenticationConfig = {
  $schema: "",
  key_days_default: 90,
  key_days_max: 400,
  rotation_hours_default: 24,
  rotation_hours_max: 720,
  keys_per_tenant_max: 100,
  last_used_minutes: 15,
  failures_max: 100,
  failures_window_seconds: 60,
  failures_batch: 10,
  operator_tenants: [],
  audit_days: 400,
  jwt_issuers: [],
};

type Item = Record<string, unknown>;

/** Keys in memory, with a clock that stands still: what checking credentials needs and no more. */
export function keyWorld(policy: Partial<AuthenticationConfig> = {}) {
  const items = new Map<string, Item>();
  const world = { now: Date.UTC(2026, 0, 1), reads: 0, writes: 0, logged: [] as string[] };
  const place = ({ pk, sk }: Item) => `${pk}|${sk}`;
  let ids = 0;
  const send = async (command: unknown) => {
    if (command instanceof GetCommand) {
      world.reads += 1;
      return { Item: items.get(place(command.input.Key ?? {})) };
    }
    world.writes += 1;
    if (command instanceof PutCommand) items.set(place(command.input.Item ?? {}), command.input.Item ?? {});
    if (command instanceof UpdateCommand) {
      const { Key = {}, UpdateExpression = "", ExpressionAttributeValues = {} } = command.input;
      const changes = [...UpdateExpression.matchAll(/#(\w+) = (:\w+)/g)].map(([, field, value = ""]) => [
        field,
        ExpressionAttributeValues[value],
      ]);
      items.set(place(Key), { ...items.get(place(Key)), ...Object.fromEntries(changes) });
    }
    return {};
  };
  const note = (code: string) => void world.logged.push(code);
  const log = { info: note, warn: note, error: note, with: () => log };
  const ports = {
    table: { send } as never,
    table_name: "table",
    runtime: {
      now: () => world.now,
      random: () => 0.5,
      uuid: () => "uuid",
      hex(bytes: number) {
        ids += 1;
        return ids.toString(16).padStart(bytes * 2, "0");
      },
      sleep: async () => {},
    },
    pepper: "p".repeat(32),
    policy: { ...AUTHENTICATION, ...policy },
    log,
  } satisfies CredentialPorts;
  return { world, ports, items };
}
