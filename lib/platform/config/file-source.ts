import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigRejected } from "#lib/platform/config/config-rejected.ts";
import type { ConfigSource } from "#lib/platform/config/config-source.ts";
import { CONFIG_BYTES_MAX } from "#lib/platform/config/parse-config.ts";

/** Files in a directory. All are read anew each time: they are small, and no time stamp is fine enough. */
export function fileSource(directory: string): ConfigSource {
  return {
    place: join(directory, "/"),
    refresh_ms: 500,
    wait_ms: 500,
    timeout_ms: 1000,
    settle_ms: 1000,
    async read(name) {
      const path = join(directory, name);
      const facts = await stat(path);
      if (!facts.isFile()) throw new Error(`${path} is no file`);
      if (facts.size > CONFIG_BYTES_MAX) {
        throw new ConfigRejected(`it has ${facts.size} bytes; ${CONFIG_BYTES_MAX} is the limit`);
      }
      return readFile(path);
    },
  };
}

/** The files deployed with the code, for the time before any source has answered. */
export function bundledFiles(directory: string): (name: string) => { bytes: Uint8Array; place: string } {
  return (name) => {
    const place = join(directory, name);
    return { bytes: readFileSync(place), place };
  };
}
