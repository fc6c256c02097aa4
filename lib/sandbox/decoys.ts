import { lstatSync } from "node:fs";
import type { Launch } from "#lib/sandbox/sandbox-backend.ts";
import type { LimitHit } from "#schemas/artifacts/build-test-report.ts";

export interface Decoys {
  /** Evidence that a hidden path was read, or null. */
  touched(): LimitHit | null;
}

/** A hidden path is covered by an empty decoy on a file system that notes every access (`strictatime`). */
export function watchDecoys(decoys: Launch["decoys"]): Decoys {
  const before = decoys.map(({ path }) => accessTime(path));
  return {
    touched() {
      const found = decoys.find(({ path }, index) => accessTime(path) !== before[index]);
      if (!found) return null;
      return {
        code: "SANDBOX_PATH_DENIED",
        limit: 0,
        observed: 1,
        evidence: `${found.hides} is hidden, and the access time of the decoy in its place has changed`,
      };
    },
  };
}

function accessTime(path: string): bigint | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.atimeNs ?? null;
}
