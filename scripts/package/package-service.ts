import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { handlerModule, parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";
import { attachCode, type Code, imageParameter } from "./attach-code.ts";
import { type FunctionFiles, functionFiles } from "./function-files.ts";
import { LAMBDA, type Platform } from "./platform.ts";
import { renderTemplate } from "./render-template.ts";
import type { Size } from "./size-budgets.ts";
import type { Template } from "./template.ts";
import { writeZip } from "./write-zip.ts";

const DIGEST_CHARACTERS = 20;

export interface Package {
  template: Template;
  /** Everything beside the template, by path. */
  files: Map<string, Uint8Array>;
  sizes: Size[];
}

/** Makes the code of every function and the template of a stage. The same sources give the same bytes. */
export async function packageService(stage: string, platform: Platform = LAMBDA): Promise<Package> {
  const { functions } = parseServerless(readFileSync(SERVERLESS_FILE, "utf8"));
  const scratch = mkdtempSync(join(tmpdir(), "package-"));
  const files = new Map<string, Uint8Array>();
  const code = new Map<string, Code>();
  const sizes: Size[] = [];
  try {
    const rendering = renderTemplate(stage);
    rendering.catch(() => {}); // awaited below
    for (const [name, one] of Object.entries(functions)) {
      const made = await functionFiles(name, handlerModule(one), platform, scratch);
      const zip = writeZip(made.files);
      sizes.push({ name, packed_bytes: zip.byteLength, unpacked_bytes: total(made.files) });
      files.set(`source-maps/${name}.mjs.map`, made.source_map);
      code.set(name, one.container ? inContainer(one.container, made, files) : asZip(name, zip, files));
    }
    return { template: attachCode(await rendering, code), files, sizes };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function asZip(name: string, zip: Uint8Array, files: Map<string, Uint8Array>): Code {
  const digest = createHash("sha256").update(zip).digest("hex").slice(0, DIGEST_CHARACTERS);
  const key = `code/${name}-${digest}.zip`;
  files.set(key, zip);
  return { kind: "zip", key };
}

/** Functions of one container share an image; each has its own command. */
function inContainer(container: string, made: FunctionFiles, files: Map<string, Uint8Array>): Code {
  files.set(`${container}/Dockerfile`, readFileSync(`containers/${container}/Dockerfile`));
  for (const [path, bytes] of made.files) files.set(`${container}/task/${path}`, bytes);
  return { kind: "image", parameter: imageParameter(container) };
}

function total(files: ReadonlyMap<string, Uint8Array>): number {
  return [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
