import { servedDocument } from "#lib/http/openapi/served-document.ts";

/** A path of the API: as its routes are declared, and what may be done with it. */
export interface KnownPath {
  /** For example `/api/tasks/{id}`. */
  template: string;
  /** In capitals, sorted. */
  methods: string[];
}

interface Pattern extends KnownPath {
  matches: RegExp;
}

let patterns: Pattern[] | undefined;

/** What the API's description knows of a path, whichever function answers there; undefined where nobody does. */
export async function methodsByPath(path: string): Promise<KnownPath | undefined> {
  patterns ??= Object.values((await servedDocument()).paths).map((operations) => {
    const keys = Object.values(operations).map((operation) => operation["x-route-key"].split(" "));
    const template = keys[0]?.[1] ?? "";
    return { template, methods: keys.map(([method = ""]) => method).sort(), matches: patternOf(template) };
  });
  return patterns.find(({ matches }) => matches.test(path));
}

/** `{id}` is one segment, `{path+}` one or more. */
function patternOf(template: string): RegExp {
  const source = template.split("/").map((part) => {
    if (/^\{\w+\+\}$/.test(part)) return ".+";
    return /^\{\w+\}$/.test(part) ? "[^/]+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${source.join("/")}$`);
}
