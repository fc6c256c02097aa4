import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar";
import { cacheDirectory } from "../../local/host/cache-directory.ts";
import type { LockedPackage } from "./locked-packages.ts";

const FETCH_MS_MAX = 120_000;

/**
 * A package of exactly the locked content, unpacked in the user's cache. npm installs native packages
 * for the machine it runs on only, and Lambda is another.
 */
export async function fetchPackage(name: string, { version, integrity }: LockedPackage): Promise<string> {
  if (!integrity) throw new Error(`package-lock.json has no checksum of ${name}`);
  const cache = cacheDirectory("packages");
  const kept = join(cache, `${name.replaceAll("/", "+")}@${version}`);
  if (existsSync(kept)) return kept;
  const scratch = mkdtempSync(join(cache, "fetch-"));
  try {
    const archive = await pack(`${name}@${version}`, scratch);
    const [algorithm = "", expected] = integrity.split("-");
    const found = createHash(algorithm).update(readFileSync(archive)).digest("base64");
    if (found !== expected)
      throw new Error(`${name}@${version} is not what package-lock.json says: ${found}`);
    const unpacked = join(scratch, "unpacked");
    mkdirSync(unpacked);
    await extract({ file: archive, cwd: unpacked, strip: 1 });
    if (!existsSync(kept)) renameSync(unpacked, kept);
    return kept;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function pack(specification: string, directory: string): Promise<string> {
  const given = ["pack", specification, "--ignore-scripts", "--json", "--pack-destination", directory];
  const { stdout } = await promisify(execFile)("npm", given, { timeout: FETCH_MS_MAX }).catch(
    (cause: { stderr?: string; message: string }) => {
      throw new Error(`npm cannot fetch ${specification}: ${cause.stderr || cause.message}`, { cause });
    },
  );
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  if (!packed) throw new Error(`npm packed nothing for ${specification}`);
  return join(directory, packed.filename);
}
