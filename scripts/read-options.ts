import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/**
 * The options that a command was called with. `--help` prints `help` and ends the process with 0; an option that does not
 * exist, or lacks its value, is named and ends it with 2.
 */
export function readOptions<const Options extends ParseArgsOptionsConfig>(help: string, options: Options) {
  if (process.argv.slice(2).some((word) => word === "--help" || word === "-h")) {
    console.log(help);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}
