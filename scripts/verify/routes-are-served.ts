import { servedRoutes } from "../generate/openapi-file.ts";
import { handlerModule, httpRoutes, parseServerless, SERVERLESS_FILE } from "../tree/serverless.ts";
import type { Rule } from "./rule.ts";

/**
 * The routes of each function in serverless.yml are those of its handler, no more and no fewer. The API's
 * description is made of them, so it has the same.
 */
export const routesAreServed: Rule = {
  name: "routes-are-served",
  async check(tree) {
    if (!tree.has(SERVERLESS_FILE)) return [];
    const faults: string[] = [];
    for (const [name, one] of Object.entries(parseServerless(tree.read(SERVERLESS_FILE)).functions)) {
      const declared = httpRoutes(one);
      const module = handlerModule(one);
      if (declared.length === 0 || !tree.has(module)) continue;
      const served = Object.keys(await servedRoutes(tree, module));
      for (const key of declared.filter((each) => !served.includes(each))) {
        faults.push(`${SERVERLESS_FILE}: ${name} takes ${key}, and ${module} has no route() of that key.`);
      }
      for (const key of served.filter((each) => !declared.includes(each))) {
        faults.push(`${module}: ${key} never arrives: declare it in ${SERVERLESS_FILE}.`);
      }
    }
    return faults;
  },
};
