import type { HostPart } from "./part.ts";

/** The parts that `--only a,b` names, in the order they start; all of them without it. @throws on a name there is none for. */
export function selectParts(parts: readonly HostPart[], only: string | undefined): HostPart[] {
  if (only === undefined) return [...parts];
  const wanted = only
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const names = parts.map(({ name }) => name);
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0 || wanted.length === 0) {
    throw new Error(
      `--only takes ${names.join(", ")}, with commas between${unknown.length > 0 ? `; not ${unknown.join(", ")}` : ""}.`,
    );
  }
  return parts.filter(({ name }) => wanted.includes(name));
}
