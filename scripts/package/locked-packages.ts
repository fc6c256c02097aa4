import { readFileSync } from "node:fs";
import type { Platform } from "./platform.ts";

/** One entry of package-lock.json. */
export interface LockedPackage {
  version: string;
  integrity?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

type Lock = (name: string) => LockedPackage | undefined;

export function readLock(): Lock {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  return (name) => packages[`node_modules/${name}`];
}

/**
 * The packages that stay outside a bundle and what they need on that platform, with their locked
 * versions. Throws when one has no entry in package-lock.json.
 */
export function packagesFor(
  names: readonly string[],
  platform: Platform,
  locked: Lock,
): Map<string, LockedPackage> {
  const found = new Map<string, LockedPackage>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const one = locked(name);
    if (!one) throw new Error(`package-lock.json has no ${name}: run npm install`);
    found.set(name, one);
    open.push(...Object.keys(one.dependencies ?? {}));
    const optional = Object.keys(one.optionalDependencies ?? {});
    open.push(...optional.filter((other) => isFor(locked(other), platform)));
  }
  return found;
}

function isFor(one: LockedPackage | undefined, { os, cpu, libc }: Platform): boolean {
  const allows = (list: string[] | undefined, value: string | undefined) =>
    list === undefined || (value !== undefined && list.includes(value));
  return one !== undefined && allows(one.os, os) && allows(one.cpu, cpu) && allows(one.libc, libc);
}
