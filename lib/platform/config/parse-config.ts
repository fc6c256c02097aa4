import type { z } from "zod";
import type { ConfigDefinition, Deployment } from "#lib/platform/config/config-definitions.ts";
import { pointerTo } from "#schemas/issue-sentence.ts";

/** The content of a configuration file is not valid. The message gives the path and the reason. */
export class ConfigRejected extends Error {
  override readonly name = "ConfigRejected";
}

export const CONFIG_BYTES_MAX = 262_144;
const FAULTS_MAX = 3;
const VALUE_CHARACTERS_MAX = 80;
const REASON_CHARACTERS_MAX = 1000;

/**
 * Parses and checks the bytes of a configuration file. Throws ConfigRejected with the path and the faulty value when
 * the file is too large, not UTF-8, not JSON, repeats a key, or breaks its schema or rules.
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
  if (twice !== undefined) throw rejected([`the key ${JSON.stringify(twice)} occurs twice in one object`]);
  return json;
}

function describe({ path, message }: z.core.$ZodIssue, json: unknown): string {
  if (path.length === 0) return message;
  const found = path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key],
    json,
  );
  return `${pointerTo(path)} is ${shownValue(found)}: ${message}`;
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

const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;

/**
 * The first key that occurs twice in one object of a JSON text, or undefined. `JSON.parse` would silently keep the
 * last of the two. The text must be valid JSON.
 */
export function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, colon] of json.matchAll(TOKEN)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
