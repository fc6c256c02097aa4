import { ERROR_CODES } from "#lib/platform/errors/codes.ts";
import type { Rule } from "./rule.ts";

const CATALOGUE = "lib/platform/errors/codes.ts";
const SOURCES = /^(functions|lib|local|schemas)\/.+\.ts$/;
const TEST = /\.test\.ts$/;

/** No code of the catalogue is left over when the code that gave it is gone. That codes exist is the compiler's business. */
export const errorCodesAreUsed: Rule = {
  name: "error-codes-are-used",
  check(tree) {
    if (!tree.has(CATALOGUE)) return [];
    const sources = tree.files.filter((path) => SOURCES.test(path) && !TEST.test(path) && path !== CATALOGUE);
    const unused = new Set<string>(Object.keys(ERROR_CODES));
    for (const path of sources) {
      for (const [, name = ""] of tree.read(path).matchAll(/["'`]([A-Z][A-Z0-9_]+)["'`]/g))
        unused.delete(name);
    }
    return [...unused].map((name) => `${name} is used nowhere: take it out of ${CATALOGUE}.`);
  },
};
