import { collectErrorCodes } from "../generate/error-codes.ts";
import { ambiguousCodes } from "../generate/errors-page.ts";
import type { Rule } from "./rule.ts";

/** An error code asks for one thing, wherever it is thrown. */
export const codesMeanOneThing: Rule = {
  name: "codes-mean-one-thing",
  check(tree) {
    return ambiguousCodes(collectErrorCodes(tree)).map(({ name, uses }) => {
      const places = uses.map(({ file, disposition }) => `${disposition} in ${file}`);
      return `${name} is ${[...new Set(places)].join(" and ")}: give one of them a code of its own.`;
    });
  },
};
