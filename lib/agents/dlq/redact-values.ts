import { REDACTED, redactSecrets } from "#lib/platform/log/redact-secrets.ts";

/** A field whose name says that its value is secret. Ids and hashes that only identify are none. */
const SECRET_NAME =
  /(secret|password|passwd|token|api_?key|private_?key|authorization|credential|cookie)s?$/i;

/** A value with what looks like a secret replaced, by its field's name or by its form. */
export function redacted(value: unknown): unknown {
  if (typeof value === "string") return redactSecrets(value);
  if (Array.isArray(value)) return value.map(redacted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      SECRET_NAME.test(name) && one !== null && one !== "" ? REDACTED : redacted(one),
    ]),
  );
}

/**
 * An edited value with the original's secrets put back where the operator left them as they were shown: `[redacted]`
 * in the place of a secret means the secret. `left` lists the paths where `[redacted]` stands for nothing.
 */
export function restoreSecrets(original: unknown, edited: unknown): { value: unknown; left: string[] } {
  const left: string[] = [];
  const shown = redacted({ "": original });
  const value = restore(original, isObject(shown) ? shown[""] : undefined, edited, "", left);
  return { value, left };
}

function restore(original: unknown, shown: unknown, edited: unknown, path: string, left: string[]): unknown {
  if (typeof edited === "string") {
    if (!edited.includes(REDACTED)) return edited;
    if (edited === shown) return original;
    left.push(path);
    return edited;
  }
  const before = (name: string | number) => [propertyOf(original, name), propertyOf(shown, name)] as const;
  if (Array.isArray(edited)) {
    return edited.map((one, index) => restore(...before(index), one, `${path}/${index}`, left));
  }
  if (!isObject(edited)) return edited;
  return Object.fromEntries(
    Object.entries(edited).map(([name, one]) => [
      name,
      restore(...before(name), one, `${path}/${name}`, left),
    ]),
  );
}

function propertyOf(value: unknown, name: string | number): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string | number, unknown>)[name];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
