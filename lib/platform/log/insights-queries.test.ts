import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LOG_CODES } from "#lib/platform/log/codes.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";

const guide = readFileSync("docs/guides/monitoring.md", "utf8");
const queries = [...guide.matchAll(/```logs-insights\n(.*?)```/gs)].map(([, query = ""]) => query);

/** What every line has, and what the code binds to a log or hands to one line. */
function loggedFields(): Set<string> {
  const fields = new Set<string>(["service"]);
  jsonLog({}, (line) => {
    for (const name of Object.keys(JSON.parse(line))) fields.add(name);
  }).info("STEP_ENDED", "");
  for (const file of globSync("{lib,functions}/**/*.ts")) {
    if (file.endsWith(".test.ts")) continue;
    const source = readFileSync(file, "utf8");
    for (const [, bound = ""] of source.matchAll(/log\.(?:with|info|warn|error)\(([^;]*?)\);/gs))
      for (const [, name = ""] of bound.matchAll(/[{,]\s*([a-z][a-z_]*)\s*(?=[:,}])/g)) fields.add(name);
  }
  return fields;
}

/** Names in a query that it does not make itself and that are no words of the language. */
function fieldsOf(query: string): string[] {
  const bare = query.replace(/"[^"]*"/g, "").replace(/\w+\(\d+\w\)/g, "");
  const made = [...bare.matchAll(/\bas (\w+)/g)].map(([, name]) => name);
  const words = [
    "fields",
    "filter",
    "sort",
    "limit",
    "stats",
    "by",
    "as",
    "asc",
    "desc",
    "in",
    "count",
    "count_distinct",
  ];
  return [...bare.matchAll(/[a-z_]+/g)]
    .map(([name]) => name)
    .filter((name) => ![...words, ...made].includes(name));
}

describe("the queries of the guide", () => {
  it("are there, and name codes of the catalogue", () => {
    expect(queries.length).toBeGreaterThan(5);
    const codes = queries.flatMap((query) =>
      [...query.matchAll(/"([A-Z][A-Z_]+)"/g)].map(([, code]) => code),
    );
    expect(codes.length).toBeGreaterThan(8);
    expect(codes.filter((code) => !Object.hasOwn(LOG_CODES, code!))).toEqual([]);
  });

  it("name fields that log lines have", () => {
    const known = loggedFields();
    expect(queries.flatMap(fieldsOf).filter((name) => !known.has(name))).toEqual([]);
    expect(
      fieldsOf('fields at, nowhere | filter code = "X" | stats count(*) as n by bin(5m) | sort n'),
    ).toEqual(["at", "nowhere", "code"]);
    expect(known.has("nowhere")).toBe(false);
  });
});
