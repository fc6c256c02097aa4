import { TARGETS, type TargetName } from "../../test/contract/difference.ts";

const NODE_ONLY: readonly TargetName[] = ["embedded", "simulation"];
/** All but the one that no command may fetch: docs/decisions/0020-aws-contract.md. */
const ALL: readonly TargetName[] = [...NODE_ONLY, "localstack", "moto"];

/**
 * The targets of a list such as `localstack,dynamodb-local`, or of `all`; without one, those that need Node only.
 * @throws naming what is no target
 */
export function chosenTargets(list: string | undefined): readonly TargetName[] {
  if (list === undefined) return NODE_ONLY;
  if (list === "all") return ALL;
  return list.split(",").map((name) => {
    const known = TARGETS.find((target) => target === name);
    if (!known) throw new Error(`--target: ${name} is no target; there are ${TARGETS.join(", ")} and all.`);
    return known;
  });
}
