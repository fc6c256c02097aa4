import { isAbsolute, join, relative } from "node:path";
import type { Ready } from "./local-stack.ts";

/** What the terminal shows once the stack serves. */
export function banner(
  { url, data_directory, credentials_file, broken_functions }: Ready,
  log_file: string,
): string {
  const lines = [
    "",
    `  Distributed Agents is running at ${url}`,
    "",
    `  data    ${shown(data_directory)}   kept over restarts; delete it to start afresh`,
    `  log     ${shown(log_file)}`,
    ...(credentials_file
      ? [`  key     ${shown(credentials_file)}   the development key, for this machine only`]
      : []),
    ...(credentials_file ? howToUse(url, shown(credentials_file)) : []),
    `  check   curl ${url}/api/metrics/summary`,
    `          curl ${url}/api/artifacts/index`,
    "  stop    Ctrl-C",
  ];
  if (broken_functions.length > 0) {
    lines.push("", `  Not loaded (see the log): ${broken_functions.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}

function howToUse(url: string, file: string): string[] {
  const path = isAbsolute(file) ? file : `./${file}`;
  return [
    isFound(file)
      ? "  use     npx agents tasks   (the CLI finds the key by itself)"
      : `  use     npx agents --url ${url} --key "$(node -p "require('${path}').key")" tasks`,
    `          curl -H "authorization: Bearer $(node -p "require('${path}').key")" ${url}/api/tasks`,
  ];
}

/** Where the CLI looks: `.local` of this directory. */
function isFound(file: string): boolean {
  return file === join(".local", "credentials.json");
}

function shown(path: string): string {
  const from_here = relative(process.cwd(), path);
  return from_here.startsWith("..") ? path : from_here;
}
