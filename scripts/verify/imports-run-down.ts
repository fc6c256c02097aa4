import { posix } from "node:path";
import { importedPath, readImports } from "../tree/read-imports.ts";
import type { Tree } from "../tree/tree.ts";
import type { Rule } from "./rule.ts";

/** Room of lib/ → its level. A room imports only rooms of lower levels, and itself. */
const LEVELS: Readonly<Record<string, number>> = {
  platform: 1,
  resilience: 2,
  code: 2,
  sandbox: 2,
  work: 3,
  agents: 4,
  http: 4,
};

/** `importer → imported`: still to be cut. One that is no longer there is reported, so that it leaves this list. */
const EXCEPTIONS: readonly string[] = [];

const IS_SOURCE = /^(schemas|lib|functions)\/.+\.[cm]?[jt]sx?$/;
const IS_TEST = /\.test\.[cm]?tsx?$|\/fixtures\//;

interface Import {
  from: string;
  to: string;
}

/**
 * Imports run one way: functions → the rooms of lib, downwards → schemas. Inside a room the folders form
 * no cycle. Functions import nothing of each other, and none of them imports what only a developer runs.
 */
export function importsRunDown(exceptions: readonly string[] = EXCEPTIONS): Rule {
  return {
    name: "imports-run-down",
    check(tree) {
      const { imports, faults } = readAll(tree);
      const refused = imports.flatMap((one) => {
        const why = refusal(one);
        return why ? [{ ...one, line: `${one.from} → ${one.to}`, why }] : [];
      });
      const found = new Set(refused.map(({ line }) => line));
      return [
        ...faults,
        ...refused
          .filter(({ line }) => !exceptions.includes(line))
          .map(({ from, to, why }) => `${from} imports ${to}: ${why}.`),
        ...exceptions
          .filter((line) => !found.has(line))
          .map((line) => `${line} is no longer imported: take it out of the exceptions of imports-run-down.`),
        ...folderCycles(imports),
      ];
    },
  };
}

function readAll(tree: Tree): { imports: Import[]; faults: string[] } {
  const imports: Import[] = [];
  const faults: string[] = [];
  for (const from of tree.files.filter((path) => IS_SOURCE.test(path))) {
    for (const { specifier } of readImports(from, tree.read(from))) {
      if (specifier === undefined) {
        if (!IS_TEST.test(from)) faults.push(`${from} imports a computed path: write it as a literal.`);
        continue;
      }
      const to = importedPath(from, specifier);
      if (to !== undefined) imports.push({ from, to });
    }
  }
  return { imports, faults };
}

/** Why a file may not import another; undefined when it may. */
function refusal({ from, to }: Import): string | undefined {
  const [area = "", room = ""] = from.split("/");
  const [target_area = "", target_room = ""] = to.split("/");
  if (target_area === "schemas") return undefined;
  if (target_area === "test" && IS_TEST.test(from)) return undefined;
  if (area === "functions" && target_area === "functions") {
    return room === target_room ? undefined : "functions never import each other";
  }
  if (area === "schemas") return "schemas import schemas only";
  if (target_area !== "lib") return `${area} imports lib and schemas only`;
  const target_level = LEVELS[target_room];
  if (target_level === undefined) return `lib/${target_room} is none of the seven rooms`;
  if (area === "functions" || room === target_room) return undefined;
  const level = LEVELS[room];
  if (level === undefined) return `lib/${room} is none of the seven rooms`;
  return target_level < level ? undefined : `lib/${target_room} is not below lib/${room}`;
}

/** One sentence for each group of folders of one room that import each other in a circle. */
function folderCycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, Map<string, Import>>();
  for (const one of imports) {
    const [from, to] = [posix.dirname(one.from), posix.dirname(one.to)];
    if (IS_TEST.test(one.from) || from === to || roomOf(from) === undefined || roomOf(from) !== roomOf(to)) {
      continue;
    }
    const out = edges.get(from) ?? new Map<string, Import>();
    if (!out.has(to)) out.set(to, one);
    edges.set(from, out);
  }
  const told = new Set<string>();
  return [...edges.keys()].sort().flatMap((start) => {
    const cycle = told.has(start) ? undefined : shortestCycle(start, edges);
    if (!cycle) return [];
    for (const { from } of cycle) told.add(posix.dirname(from));
    const steps = cycle.map(({ from, to }) => `${from} imports ${to}`).join(", ");
    return [`folders import each other in a circle: ${steps}.`];
  });
}

function roomOf(folder: string): string | undefined {
  return /^lib\/[^/]+/.exec(folder)?.[0];
}

/** The shortest way from a folder back to itself, breadth first. */
function shortestCycle(
  start: string,
  edges: ReadonlyMap<string, ReadonlyMap<string, Import>>,
): Import[] | undefined {
  const ways: [folder: string, way: Import[]][] = [[start, []]];
  const seen = new Set<string>();
  for (let next = ways.shift(); next; next = ways.shift()) {
    const [folder, way] = next;
    for (const [target, step] of edges.get(folder) ?? []) {
      if (target === start) return [...way, step];
      if (seen.has(target)) continue;
      seen.add(target);
      ways.push([target, [...way, step]]);
    }
  }
  return undefined;
}
