import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { buildConsole, CONSOLE_FILES, CONSOLE_FOLDER } from "../build/build-console.ts";
import { bundle } from "../build/bundle.ts";
import { packagesFor, readLock } from "./locked-packages.ts";
import { mustRunOn } from "./native-code.ts";
import { packageFiles } from "./package-files.ts";
import type { Platform } from "./platform.ts";

/** The operator's files as they are when the code is made: in force until a source has answered. */
const CONFIGS = "configs";

export interface FunctionFiles {
  /** What is deployed, by path. */
  files: Map<string, Uint8Array>;
  /** Kept beside, for whoever reads a stack trace. */
  source_map: Uint8Array;
}

/**
 * Everything one function needs and nothing else: its bundle where its `handler:` says, the packages
 * that cannot be bundled for that platform, the configuration, and the console where it is served.
 */
export async function functionFiles(
  name: string,
  module: string,
  platform: Platform,
  scratch: string,
): Promise<FunctionFiles> {
  const { file, externals, beside, serves_console } = await bundle(name, module, scratch);
  const files = new Map<string, Uint8Array>();
  files.set(module.replace(/\.ts$/, ".mjs"), readFileSync(file));
  for (const path of beside) files.set(join(dirname(module), basename(path)), readFileSync(path));
  for (const [external, locked] of packagesFor(externals, platform, readLock())) {
    for (const [path, bytes] of await packageFiles(external, locked)) files.set(path, bytes);
  }
  mustRunOn(platform, files);
  for (const config of readdirSync(CONFIGS)) {
    files.set(`${CONFIGS}/${config}`, readFileSync(join(CONFIGS, config)));
  }
  if (serves_console) {
    await buildConsole(process.cwd());
    for (const each of CONSOLE_FILES) {
      files.set(`${CONSOLE_FOLDER}/${each}`, readFileSync(join(CONSOLE_FOLDER, each)));
    }
  }
  return { files, source_map: readFileSync(`${file}.map`) };
}
