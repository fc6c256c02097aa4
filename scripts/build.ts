import { existsSync, readFileSync, rmSync } from "node:fs";
import { bundle } from "./build/bundle.ts";
import { run } from "./gates/run.ts";
import { handlerModule, parseServerless, SERVERLESS_FILE } from "./tree/serverless.ts";

/** `npm run -s build`: type-checks, then bundles every function of serverless.yml into .build/<function>/. */
const FOLDER = ".build";

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

if (!existsSync(SERVERLESS_FILE)) fail(`${SERVERLESS_FILE} is missing: it names the functions to build.`);
const { functions } = parseServerless(readFileSync(SERVERLESS_FILE, "utf8"));

const types = await run("tsc --noEmit", process.cwd());
if (!types.passed) fail(types.output);

rmSync(FOLDER, { recursive: true, force: true });
const bundles = Object.entries(functions).map(([name, one]) => bundle(name, handlerModule(one), FOLDER));
for (const outcome of await Promise.allSettled(bundles)) {
  if (outcome.status === "rejected") {
    console.error(outcome.reason instanceof Error ? outcome.reason.message : outcome.reason);
    process.exitCode = 1;
  } else {
    const { name, bytes } = outcome.value;
    console.log(`${name.padEnd(24)} ${`${Math.ceil(bytes / 1000)} kB`.padStart(9)}`);
  }
}
