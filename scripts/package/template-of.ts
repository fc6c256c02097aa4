import { readFileSync } from "node:fs";
import { parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";
import { attachCode, type Code, imageParameter } from "./attach-code.ts";
import { renderTemplate } from "./render-template.ts";
import type { Template } from "./template.ts";

/** The template of a stage as it is packaged, but for the content of its code: what reads it needs none. */
export async function templateOf(stage: string): Promise<Template> {
  const { functions } = parseServerless(readFileSync(SERVERLESS_FILE, "utf8"));
  const code = new Map<string, Code>();
  for (const [name, { container }] of Object.entries(functions)) {
    code.set(
      name,
      container
        ? { kind: "image", parameter: imageParameter(container) }
        : { kind: "zip", key: `code/${name}-${"0".repeat(20)}.zip` },
    );
  }
  return attachCode(await renderTemplate(stage), code);
}
