import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { temporaryDirectory } from "#test/temporary.ts";
import { type Package, packageService } from "../../scripts/package/package-service.ts";
import { thisMachine } from "../../scripts/package/platform.ts";
import { resourcesOf } from "../../scripts/package/template.ts";

interface Deployed {
  Environment: { Variables: { SERVICE: string } };
  Code: { S3Key?: string };
  Handler?: string;
  ImageConfig?: { Command: [string] };
}

export interface Unpacked {
  /** By function: what Lambda would find in /var/task. */
  directories: Map<string, { path: string; handler: string }>;
  made: Package;
  root: string;
}

/**
 * The package, made for this machine instead of Lambda's and unpacked as the template says, each function
 * where no other package is near.
 */
export async function unpackedPackage(stage: string): Promise<Unpacked> {
  const made = await packageService(stage, thisMachine());
  const root = temporaryDirectory("package");
  const directories = new Map<string, { path: string; handler: string }>();
  for (const [, { Environment, Code, Handler, ImageConfig }] of resourcesOf<Deployed>(
    made.template,
    "AWS::Lambda::Function",
  )) {
    const name = Environment.Variables.SERVICE;
    const path = join(root, name);
    const files = Code.S3Key ? Object.entries(unzipSync(made.files.get(Code.S3Key)!)) : imageFiles(made);
    for (const [file, bytes] of files) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), bytes);
    }
    directories.set(name, { path, handler: Handler ?? ImageConfig!.Command[0] });
  }
  return { directories, made, root };
}

function imageFiles({ files }: Package): [string, Uint8Array][] {
  const prefix = "worker/task/";
  return [...files]
    .filter(([path]) => path.startsWith(prefix))
    .map(([path, bytes]) => [path.slice(prefix.length), bytes]);
}
