import { existsSync, readFileSync, rmSync } from "node:fs";
import { buildConsole, CONSOLE_FOLDER } from "./build/build-console.ts";
import { bundle } from "./build/bundle.ts";
import { loadBundle } from "./build/load-bundle.ts";
import { run } from "./gates/run.ts";
import { handlerModule, parseServerless, SERVERLESS_FILE } from "./tree/serverless.ts";

/**
 * `npm run -s build`: type-checks, bundles every function of serverless.yml into
 * .build/<function>/, and loads each bundle once. It builds the console too.
 */
const FOLDER = ".build";

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

if (!existsSync(SERVERLESS_FILE)) fail(`${SERVERLESS_FILE} is missing: it names the functions to build.`);
const { functions } = parseServerless(readFileSync(SERVERLESS_FILE, "utf8"));

const types = await run("tsc --noEmit && tsc --noEmit -p console", process.cwd());
if (!types.passed) fail(types.output);

rmSync(FOLDER, { recursive: true, force: true });
const built = Object.entries(functions).map(async ([name, one]) => {
  const { file, bytes } = await bundle(name, handlerModule(one), FOLDER);
  await loadBundle(file, one.handler.split(".").at(-1) ?? "");
  return `${name.padEnd(24)} ${`${Math.ceil(bytes / 1000)} kB`.padStart(9)}`;
});
for (const outcome of await Promise.allSettled(built)) {
  if (outcome.status === "fulfilled") {
    console.log(outcome.value);
  } else {
    console.error(outcome.reason instanceof Error ? outcome.reason.message : outcome.reason);
    process.exitCode = 1;
  }
}
await buildConsole(process.cwd());
console.log(`${"console".padEnd(24)} ${`in ${CONSOLE_FOLDER}/`.padStart(9)}`);
