import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { installPrometheus } from "./prometheus/install-prometheus.ts";

/**
 * `npm run test:prometheus`: a real Prometheus scrapes a stack of its own, and evaluates the rules made of configs/alerts.json. Where no
 * Prometheus is on the PATH, the Debian package is unpacked into the user's cache. Where that cannot be, its tests are skipped, by name;
 * REQUIRED_TOOLS=Prometheus makes them fail.
 */
const directory = await installPrometheus().catch((error: Error) => {
  console.error(`prometheus: ${error.message}`);
  return undefined;
});
const path = [process.env.PATH, directory].filter((each) => each !== undefined).join(delimiter);
const { status } = spawnSync(
  process.execPath,
  [join("node_modules", "vitest", "vitest.mjs"), "run", "--project", "prometheus", ...process.argv.slice(2)],
  { stdio: "inherit", env: { ...process.env, PATH: path } },
);
process.exitCode = status ?? 1;
