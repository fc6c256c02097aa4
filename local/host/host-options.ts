import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { HOST_DIRECTORY } from "./host-environment.ts";
import type { HostPart } from "./part.ts";
import { selectParts } from "./select-parts.ts";

export interface HostOptions {
  parts: HostPart[];
  ports: Record<string, number>;
  directory: string;
  install_only: boolean;
  json: boolean;
  help: boolean;
}

export function hostHelp(parts: readonly HostPart[]): string {
  const rows = parts.map(
    ({ name, title, port_default }) => `  ${name.padEnd(10)}  ${port_default}  ${title}`,
  );
  return `Runs the real services on this machine without Docker, on loopback only, until Ctrl-C.

  npm run stack:host -- [options]

  --only <a,b>        only these parts
  --port <part=n>     another port for a part; may be given more than once
  --data-dir <path>   their data and logs (default ${HOST_DIRECTORY})
  --install           install what they need and end
  --json              one line of JSON once all are ready: their endpoints, and the variables that lead there
  --help              this text

${rows.join("\n")}

Needs Python 3.12 or later for the first two, Java 17 and Maven for neo4j. What is downloaded is checked against
pinned hashes and kept in \${XDG_CACHE_HOME:-~/.cache}/distributed-agents. Then, in another terminal:

  STAGE=localstack npm start
`;
}

/** @throws with a sentence for the person at the keyboard. */
export function hostOptions(argv: string[], all: readonly HostPart[], directory: string): HostOptions {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: "string" },
      port: { type: "string", multiple: true, default: [] },
      "data-dir": { type: "string" },
      install: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return {
    parts: selectParts(all, values.only),
    ports: Object.fromEntries(values.port.map((text) => portOf(text, all))),
    directory: resolve(directory, values["data-dir"] ?? HOST_DIRECTORY),
    install_only: values.install,
    json: values.json,
    help: values.help,
  };
}

function portOf(text: string, all: readonly HostPart[]): [string, number] {
  const [name = "", port_text = ""] = text.split("=");
  const port = Number(port_text);
  if (!all.some((part) => part.name === name) || !/^\d+$/.test(port_text) || port < 1 || port > 65_535) {
    throw new Error(
      `--port takes a part and a number from 1 to 65535, as in --port ${all[0]?.name}=4600; not "${text}".`,
    );
  }
  return [name, port];
}
