#!/usr/bin/env node
// Runs cli/main.ts. It needs Node 24; an older Node hands over to the one in this repository's node_modules. Node keeps the
// compiled code there too: the next start takes half of the time.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const main = new URL("./main.ts", import.meta.url);
const compile_cache = fileURLToPath(new URL("../node_modules/.cache/node-compile-cache", import.meta.url));
const bundled = ["node", "node.exe"]
  .map((name) => fileURLToPath(new URL(`../node_modules/node/bin/${name}`, import.meta.url)))
  .find(existsSync);

if (Number(process.versions.node.split(".")[0]) >= 24) {
  module.enableCompileCache(compile_cache);
  await import(main.href);
} else if (bundled === undefined) {
  process.stderr.write(
    `agents needs Node 24 and this is ${process.version}. Run \`npm install\` in ${fileURLToPath(new URL("..", import.meta.url))}, which brings it along.\n`,
  );
  process.exitCode = 2;
} else {
  const child = spawn(bundled, [fileURLToPath(main), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { NODE_COMPILE_CACHE: compile_cache, ...process.env },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`agents cannot start ${bundled}: ${error.message}\n`);
    process.exitCode = 3;
  });
  child.on("exit", (code) => {
    process.exitCode = code ?? 3;
  });
}
