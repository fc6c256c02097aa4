import type { Rule } from "./rule.ts";

const SOURCES = /^(functions|lib|schemas|cli|console|local|scripts)\/.+\.(tsx?|mts|mjs)$/;
const LIMITS = [
  {
    files: /^functions\/[^/]+\/handler\.ts$/,
    lines_max: 40,
    advice: "move what it decides to a use case beside it",
  },
  { files: /\.test\.ts$/, lines_max: 400, advice: "split it by behaviour" },
  { files: /./, lines_max: 400, advice: "it holds more than one concept: split it by concept" },
];

/** Handlers up to 40 lines, tests up to 400, any other source up to 400. */
export const filesStaySmall: Rule = {
  name: "files-stay-small",
  check(tree) {
    return tree.files
      .filter((path) => SOURCES.test(path) && !path.includes("/fixtures/"))
      .flatMap((path) => {
        const lines = tree.read(path).trimEnd().split("\n").length;
        const limit = LIMITS.find(({ files }) => files.test(path));
        return limit && lines > limit.lines_max
          ? [`${path} has ${lines} lines, more than ${limit.lines_max}: ${limit.advice}.`]
          : [];
      });
  },
};
