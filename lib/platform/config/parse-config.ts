import type { z } from "zod";
import type { ConfigDefinition, Deployment } from "#lib/platform/config/config-definitions.ts";
import { ConfigRejected } from "#lib/platform/config/config-rejected.ts";
import { duplicateKey } from "#lib/platform/config/duplicate-key.ts";

export const CONFIG_BYTES_MAX = 262_144;
const FAULTS_MAX = 3;
const VALUE_CHARACTERS_MAX = 80;
const REASON_CHARACTERS_MAX = 1000;

/**
 * A configuration file's bytes as the value they stand for. Throws ConfigRejected with the path and
 * the value at fault: too large, not UTF-8, not JSON, a key twice, against its schema or its rules.
 */
export function parseConfig<Schema extends z.ZodType>(
  { schema, rules }: ConfigDefinition<Schema>,
  bytes: Uint8Array,
  deployment: Deployment,
): z.output<Schema> {
  const json = decodeJson(bytes);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw rejected(parsed.error.issues.map((issue) => describe(issue, json)));
  const faults = rules?.(parsed.data, deployment) ?? [];
  if (faults.length > 0) throw rejected(faults);
  return parsed.data;
}

function decodeJson(bytes: Uint8Array): unknown {
  if (bytes.byteLength > CONFIG_BYTES_MAX) {
    throw rejected([`it has ${bytes.byteLength} bytes; ${CONFIG_BYTES_MAX} is the limit`]);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw rejected(["it is not UTF-8"]);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw rejected([`it is not JSON: ${(cause as Error).message}`]);
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) throw rejected([`the key ${JSON.stringify(twice)} stands twice in one object`]);
  return json;
}

function describe({ path, message }: z.core.$ZodIssue, json: unknown): string {
  if (path.length === 0) return message;
  const found = path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key],
    json,
  );
  return `/${path.map(String).join("/")} is ${shownValue(found)}: ${message}`;
}

function shownValue(value: unknown): string {
  if (value === undefined) return "absent";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return shortened(JSON.stringify(value), VALUE_CHARACTERS_MAX);
}

function rejected(faults: string[]): ConfigRejected {
  const shown = faults.slice(0, FAULTS_MAX);
  const more = faults.length > shown.length ? [`and ${faults.length - shown.length} more`] : [];
  return new ConfigRejected(shortened([...shown, ...more].join("; "), REASON_CHARACTERS_MAX));
}

function shortened(text: string, characters_max: number): string {
  return text.length <= characters_max ? text : `${text.slice(0, characters_max)}…`;
}
