import { handlerModule, parseServerless, SERVERLESS_FILE, serviceOf } from "../tree/serverless.ts";
import type { Tree } from "../tree/tree.ts";
import type { Rule } from "./rule.ts";

/** Each folder in functions/ has a handler.ts and a block in serverless.yml, and each block has its file. */
export const functionsAreDeployed: Rule = {
  name: "functions-are-deployed",
  check(tree) {
    const services = serviceFolders(tree);
    if (!tree.has(SERVERLESS_FILE)) {
      return services.length > 0
        ? [`${SERVERLESS_FILE} is missing: give each folder in functions/ a block there.`]
        : [];
    }
    const modules = Object.entries(parseServerless(tree.read(SERVERLESS_FILE)).functions).map(
      ([name, one]) => ({ name, module: handlerModule(one) }),
    );
    const deployed = new Set(modules.map(({ module }) => serviceOf(module)));
    return [
      ...services
        .filter((service) => !tree.has(`functions/${service}/handler.ts`))
        .map((service) => `functions/${service}/ has no handler.ts: add it, or move the code to lib/.`),
      ...services
        .filter((service) => !deployed.has(service))
        .map((service) => `functions/${service}/ has no block in ${SERVERLESS_FILE}: add one.`),
      ...modules
        .filter(({ module }) => serviceOf(module) !== undefined && !tree.has(module))
        .map(
          ({ name, module }) => `${SERVERLESS_FILE}: function ${name} names ${module}, which does not exist.`,
        ),
      ...modules
        .filter(({ module }) => serviceOf(module) === undefined)
        .map(
          ({ name, module }) =>
            `${SERVERLESS_FILE}: function ${name} runs ${module}: handlers live in functions/<service>/.`,
        ),
    ];
  },
};

/** Names of the folders in functions/, sorted. */
function serviceFolders(tree: Tree): string[] {
  return [...new Set(tree.files.flatMap((path) => serviceOf(path) ?? []))].sort();
}
