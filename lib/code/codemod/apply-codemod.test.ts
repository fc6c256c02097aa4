import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type AppliedCodemod, applyCodemod, type CodemodLimits } from "#lib/code/codemod/apply-codemod.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { withTemporaryDirectory } from "#lib/code/source/temporary-directory.ts";

const LIMITS: CodemodLimits = {
  rewritten_file_bytes_max: 2 * 1024 * 1024,
  output_bytes_max: 64 * 1024 * 1024,
};

async function codemod(
  files: Record<string, string | Buffer>,
  rules: string,
  links: Record<string, string> = {},
  limits: Partial<CodemodLimits> = {},
): Promise<{ tree: Record<string, string>; provided: AppliedCodemod }> {
  return withTemporaryDirectory("codemod-test", async (directory) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    for (const [path, target] of Object.entries(links)) await symlink(target, join(directory, path));
    const provided = await applyCodemod(directory, rules, { ...LIMITS, ...limits });
    const tree = await readTree(directory);
    return {
      provided,
      tree: Object.fromEntries([...tree].map(([path, file]) => [path, file.read().toString()])),
    };
  });
}

/** A rule as YAML; JSON is YAML. */
function rule(pattern: string | object, fix: string | object, more: object = {}): string {
  const matcher = typeof pattern === "string" ? { pattern } : pattern;
  return JSON.stringify({ id: "r", language: "JavaScript", rule: matcher, fix, ...more });
}

const rewritten = async (text: string, rules: string, path = "a.js"): Promise<string | undefined> =>
  (await codemod({ [path]: text }, rules)).tree[path];

async function expectRefused(rules: string, code: string, naming = /./): Promise<void> {
  const refused = codemod({ "a.js": "foo(1)\n" }, rules);
  await expect(refused).rejects.toMatchObject({ code, disposition: "reject" });
  await expect(refused).rejects.toThrow(naming);
}

describe("the codemod provider", () => {
  it("puts captured text back to the letter", async () => {
    const source = 'foo("ü😀" , /* why */ [1,\n   2],x=>x )\n';
    expect(await rewritten(source, rule("foo($A, $$$REST)", "bar($$$REST, $A)"))).toBe(
      'bar(/* why */ [1,\n   2],x=>x, "ü😀")\n',
    );
    expect(await rewritten("foo()\n", rule("foo($$$ARGS)", "bar($$$ARGS)"))).toBe("bar()\n");
    expect(await rewritten("foo(1)\n", rule("foo($A)", "cost('$5', $A, '$&', '$$')"))).toBe(
      "cost('$5', 1, '$&', '$$')\n",
    );
  });

  it("takes constraints, utils, transforms and several rules in order", async () => {
    const constrained = rule("foo($A)", "bar($A)", { constraints: { A: { regex: "^[0-9]+$" } } });
    expect(await rewritten("foo(1); foo(x)\n", constrained)).toBe("bar(1); foo(x)\n");
    const utils = { number: { kind: "number" } };
    const useful = rule({ pattern: "foo($A)", has: { matches: "number", stopBy: "end" } }, "bar($A)", {
      utils,
    });
    expect(await rewritten("foo(1); foo(x)\n", useful)).toBe("bar(1); foo(x)\n");
    const transform = { UPPER: { convert: { source: "$A", toCase: "upperCase" } } };
    expect(await rewritten("foo(abc)\n", rule("foo($A)", "bar($UPPER)", { transform }))).toBe("bar(ABC)\n");
    const chain =
      "id: one\nlanguage: js\nrule: {pattern: foo($A)}\nfix: bar($A)\n---\nid: two\nlanguage: js\nrule: {pattern: bar($A)}\nfix: baz($A)\n";
    const { tree, provided } = await codemod({ "a.js": "foo(1); bar(2)\n" }, chain);
    expect(tree["a.js"]).toBe("baz(1); baz(2)\n");
    expect(provided.rules_matched).toEqual({ one: 1, two: 2 });
  });

  it("indents the later lines of a fix like the match, and ends them like the file", async () => {
    const fix = "if ($A) {\n  go($A);\n}";
    expect(await rewritten("{\n    foo(x);\n}\n", rule("foo($A);", fix))).toBe(
      "{\n    if (x) {\n      go(x);\n    }\n}\n",
    );
    expect(await rewritten("{\r\n\tfoo(x);\r\n}\r\n", rule("foo($A);", fix))).toBe(
      "{\r\n\tif (x) {\r\n\t  go(x);\r\n\t}\r\n}\r\n",
    );
  });

  it("rewrites the outermost of nested matches and says what it left", async () => {
    const { tree, provided } = await codemod(
      { "a.js": "foo(foo(foo(1))); foo(2)\n" },
      rule("foo($A)", "bar($A)"),
    );
    expect(tree["a.js"]).toBe("bar(foo(foo(1))); bar(2)\n");
    expect(provided.rules_matched).toEqual({ r: 2 });
    expect(provided.notes).toContain("| r | 2 | 2 |");
  });

  it("removes what a rule with an empty fix matches", async () => {
    expect(await rewritten("debugger;\ngo();\n", rule("debugger;", ""))).toBe("\ngo();\n");
  });

  it("works on files of the rule's language that its globs choose", async () => {
    const files = {
      "src/a.js": "foo(1)",
      "src/deep/b.mjs": "foo(1)",
      "src/a.test.js": "foo(1)",
      "lib/a.js": "foo(1)",
      "src/a.ts": "foo(1)",
      "src/node_modules/x/a.js": "foo(1)",
    };
    const globs = { files: ["src/**"], ignores: ["**/*.test.js"] };
    const { tree } = await codemod(files, rule("foo($A)", "bar($A)", globs), { "link.js": "src/a.ts" });
    expect(tree).toEqual({
      ...files,
      "src/a.js": "bar(1)",
      "src/deep/b.mjs": "bar(1)",
      "link.js": "src/a.ts",
    });
  });

  it("knows TypeScript, Tsx, Html and Css too", async () => {
    const of = (language: string, pattern: string | object, fix: string) => rule(pattern, fix, { language });
    expect(await rewritten("let a: number = foo(1)", of("ts", "foo($A)", "bar($A)"), "a.mts")).toBe(
      "let a: number = bar(1)",
    );
    expect(await rewritten("<B x={foo(1)}/>", of("Tsx", "foo($A)", "bar($A)"), "a.tsx")).toBe(
      "<B x={bar(1)}/>",
    );
    expect(await rewritten("<b>x</b>", of("html", "<b>$A</b>", "<strong>$A</strong>"), "a.html")).toBe(
      "<strong>x</strong>",
    );
    const color = { kind: "plain_value", regex: "^red$" };
    expect(await rewritten("a { color: red; }", of("CSS", color, "blue"), "a.css")).toBe(
      "a { color: blue; }",
    );
  });

  it("says which files it did not look into", async () => {
    const files = {
      "a.js": "foo(1)",
      "b.js": Buffer.from([0x66, 0xff]),
      "c.js": `//${" ".repeat(2 * 1024 * 1024)}\nfoo(1)`,
    };
    const { provided, tree } = await codemod(files, rule("foo($A)", "bar($A)"));
    expect(provided.notes.join("\n")).toContain("2 files not looked into");
    expect(tree["c.js"]).toBe(files["c.js"]);
  });

  it("takes a fix as an object, with what it expands to, and labels", async () => {
    const fix = { template: "", expandEnd: { regex: "^,$" } };
    const labels = { KEY: { style: "primary", message: "goes away" } };
    const dropped = rule({ kind: "pair", has: { field: "key", regex: "^a$" } }, fix, { labels });
    expect(await rewritten("x({ a: 1, b: 2 });\n", dropped)).toBe("x({  b: 2 });\n");
    const before = { template: "z: 1", expandStart: { regex: "^,$", stopBy: "end" } };
    expect(await rewritten("x({ a: 1, b: 2 });\n", rule({ kind: "pair", regex: "^b" }, before))).toBe(
      "x({ a: 1z: 1 });\n",
    );
    const broken = { template: "", expandEnd: { patern: "," } };
    await expectRefused(rule("foo($A)", broken), "CODEMOD_RULES_INVALID", /rule r, fix: .*patern/);
  });

  it("ends rules that make a file, or all files together, too large", async () => {
    const doubling = Array.from({ length: 16 }, (_, index) =>
      JSON.stringify({
        id: `d${index}`,
        language: "js",
        rule: { kind: "program", pattern: "$A" },
        fix: "$A\n$A",
      }),
    ).join("\n---\n");
    const grown = codemod({ "a.js": "go(1);\n".repeat(150) }, doubling);
    await expect(grown).rejects.toMatchObject({ code: "COMPUTATION_OUTPUT_LIMIT", disposition: "reject" });
    await expect(grown).rejects.toThrow(/Rule d\d+ makes a file longer than/);
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`f${index}.js`, "foo(1);\n".repeat(100)]),
    );
    const many = codemod(files, rule("foo($A)", "bar($A)"), {}, { output_bytes_max: 10_000 });
    await expect(many).rejects.toMatchObject({ code: "COMPUTATION_OUTPUT_LIMIT" });
    await expect(many).rejects.toThrow(/10000 bytes in all/);
  });

  it("refuses rules that match nothing", async () => {
    await expectRefused(rule("nothing($A)", "x($A)"), "CODEMOD_NO_MATCH", /\(r\)/);
    await expectRefused(rule("foo($A)", "x($A)", { files: ["src/**"] }), "CODEMOD_NO_MATCH");
  });

  it("refuses a language it does not have, and says which it has", async () => {
    const python = rule("foo($A)", "bar($A)", { language: "Python" });
    await expectRefused(
      python,
      "CODEMOD_LANGUAGE_UNSUPPORTED",
      /Rule r is for "Python"; supported are JavaScript, TypeScript, Tsx, Html, Css/,
    );
  });

  it.each<[string, string, RegExp]>([
    ["no rule", "", /there is none/],
    ["no YAML", "id: [", /not YAML/],
    ["a key twice", "id: a\nid: b\n", /not YAML/],
    [
      "aliases that multiply",
      `a: &a [x, x]\n${"bcdefghijk"
        .split("")
        .map((key, index) => `${key}: &${key} [*${"abcdefghijk"[index]}, *${"abcdefghijk"[index]}]`)
        .join("\n")}\n`,
      /not YAML|rule 1/,
    ],
    ["a list", "- a\n", /rule 1/],
    [
      "no fix",
      JSON.stringify({ id: "r", language: "js", rule: { pattern: "a" } }),
      /rule r: \/fix: must be a text/,
    ],
    ["an unknown field", rule("foo($A)", "", { rewrite: [] }), /rule r: .*rewrite/],
    ["an unknown matcher", rule({ patern: "foo($A)" }, ""), /rule r: .*patern/],
    ["an unknown kind", rule({ kind: "no_such_kind" }, ""), /rule r: .*no_such_kind/],
    ["a broken regex", rule({ regex: "(" }, ""), /rule r: .*regex/],
    ["an unknown util", rule({ matches: "absent" }, ""), /rule r: .*absent/],
    ["a constraint on nothing", rule("foo($A)", "", { constraints: { B: { regex: "x" } } }), /rule r: .*B/],
    ["a fix with a variable that nothing captures", rule("foo($A)", "bar($B)"), /rule r: fix uses \$B/],
    ["a fix with a variable that captures nothing", rule("foo($_)", "bar($_)"), /rule r: fix uses \$_/],
    ["an id twice", `${rule("foo($A)", "")}\n---\n${rule("bar($A)", "")}`, /two have the id r/],
    [
      "a rule too deep",
      rule(JSON.parse(`${'{"not":'.repeat(60)}{"pattern":"a"}${"}".repeat(60)}`), ""),
      /deeper than/,
    ],
    ["a pattern too deep", rule("[".repeat(1000) + "]".repeat(1000), ""), /rule 1 has a pattern/],
    ["YAML too deep", `${"[".repeat(20_000)}`, /YAML|deeper/],
    [
      "too many rules",
      Array.from({ length: 101 }, (_, index) => rule("a", "b").replace('"r"', `"r${index}"`)).join("\n---\n"),
      /more than 100/,
    ],
    ["too much text", " ".repeat(300_000), /characters/],
  ])("refuses %s, naming the rule", async (_, rules, naming) => {
    await expectRefused(rules, "CODEMOD_RULES_INVALID", naming);
  });
});
