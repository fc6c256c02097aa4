import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fetchPackage } from "../../scripts/package/fetch-package.ts";

export interface MeasuredPackage {
  name: string;
  version: string;
  integrity: string;
  /** The files of one build of the package; the others hold the same functions again. */
  reads: RegExp;
}

/** Pinned, because figures of another version are no comparison. */
export const PACKAGES: readonly MeasuredPackage[] = [
  {
    name: "lodash",
    version: "4.17.21",
    integrity:
      "sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg==",
    reads: /^(?!(?:lodash|core)(?:\.min)?\.js$)[^/]+\.js$/,
  },
  {
    name: "ramda",
    version: "0.30.1",
    integrity:
      "sha512-tEF5I22zJnuclswcZMc8bDIrwRHRzf+NqVEmqg50ShAZMP7MWeR/RGDthfM/p+BlqvF2fXAzpn8i+SJcYD3alw==",
    reads: /^es\/.+\.js$/,
  },
  {
    name: "date-fns",
    version: "4.1.0",
    integrity:
      "sha512-Ukq0owbQXxa/U3EGtsdVBkR1w7KOQ5gIBqdH2hkvknzZPYvBxb/aa6E8L7tmjFtkwZBu3UXBbjIgPo/Ez4xaNg==",
    reads: /^(?!cdn\.|docs\/|fp\/|locale\/).+\.js$/,
  },
];

/** The package whose results were looked at while the ranking was made; the others tell how well it does. */
export const TUNED_ON = "ramda";

/** Fetches the package from npm's registry unless it is in the cache, and copies what is read of it to `directory`. */
export async function copyPackage(
  { name, version, integrity, reads }: MeasuredPackage,
  directory: string,
): Promise<void> {
  const unpacked = await fetchPackage(name, { version, integrity });
  for (const path of readdirSync(unpacked, { recursive: true, encoding: "utf8" })) {
    if (!reads.test(path)) continue;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    copyFileSync(join(unpacked, path), join(directory, path));
  }
}
