import type { SgNode } from "@ast-grep/napi";

/** Class → the class it extends and the disposition it states itself. */
interface ClassFacts {
  parent: string;
  disposition: string | undefined;
}

const ANCESTORS_MAX = 10;

/** Name of every Fault class in the given sources → its disposition, its own or inherited. */
export function faultDispositions(roots: readonly SgNode[]): Map<string, string> {
  const classes = new Map(roots.flatMap((root) => classFacts(root)));
  const dispositions = new Map<string, string>();
  for (const name of classes.keys()) {
    const disposition = inherited(classes, name);
    if (disposition) dispositions.set(name, disposition);
  }
  return dispositions;
}

function classFacts(root: SgNode): [string, ClassFacts][] {
  return root.findAll({ rule: { kind: "class_declaration" } }).map((node) => {
    const heritage = node.children().find((child) => child.kind() === "class_heritage");
    const stated = node.text().match(/\bdisposition(?:: Disposition)? = "([a-z]+)"/);
    return [
      node.field("name")?.text() ?? "",
      { parent: heritage?.text().replace(/^extends\s+|\W.*$/gs, "") ?? "", disposition: stated?.[1] },
    ];
  });
}

function inherited(classes: Map<string, ClassFacts>, start: string): string | undefined {
  let facts = classes.get(start);
  for (let step = 0; facts && step < ANCESTORS_MAX; step++) {
    if (facts.disposition) return facts.disposition;
    facts = classes.get(facts.parent);
  }
  return undefined;
}
