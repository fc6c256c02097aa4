import type { Rule } from "./rule.ts";

/** Every process of the machine is started here, with no descriptors but those it is given. */
const STARTER = "lib/platform/processes/spawn-program.ts";
/** Runs on an older Node.js, which reads no TypeScript; it starts this repository's Node.js and nothing else. */
const LAUNCHER = "cli/agents.mjs";
const SHIPPED = /^(?:lib|functions|schemas|cli|console|local)\/.*\.(?:ts|mts|mjs|js)$/;
const LEFT_OUT = /\.test\.ts$|\/fixtures\//;
/** A module that starts processes, however it is loaded; types alone start nothing. */
const STARTS =
  /^(?!\s*(?:\/\/|\*|import type )).*["'`](?:node:)?(?:child_process|cluster)["'`]|\bgetBuiltinModule\b|\bprocess\.execve\b/m;

/** A child process that is started anywhere else could inherit open files of this process. */
export const childProcessesAreClosed: Rule = {
  name: "child-processes-are-closed",
  check(tree) {
    return tree.files
      .filter((file) => SHIPPED.test(file) && !LEFT_OUT.test(file) && file !== STARTER && file !== LAUNCHER)
      .filter((file) => STARTS.test(tree.read(file)))
      .map((file) => `${file} starts processes by itself: use spawnProgram or runProgram of ${STARTER}.`);
  },
};
