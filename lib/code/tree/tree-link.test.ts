import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findEscapingLink, linkTargetProblem } from "#lib/code/tree/tree-link.ts";

const escaping = (links: Record<string, string>) => findEscapingLink(new Map(Object.entries(links)));

/** Follows one link name by name, as the kernel does, without any memory; the links are few. */
function leavesTree(path: string, links: Record<string, string>): boolean {
  const pending = path.split("/").reverse();
  const position: string[] = [];
  let hops = 0;
  for (let segment = pending.pop(); segment !== undefined; segment = pending.pop()) {
    if (segment === "" || segment === ".") continue;
    if (segment === "..") {
      if (position.pop() === undefined) return true;
      continue;
    }
    const target = links[[...position, segment].join("/")];
    if (target === undefined) {
      position.push(segment);
      continue;
    }
    if (target.startsWith("/")) return true;
    hops += 1;
    if (hops > 200) return false;
    pending.push(...target.split("/").reverse());
  }
  return false;
}

describe("findEscapingLink", () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    ["a link within its directory", { "a/l": "b" }, undefined],
    ["a link to a neighbor", { "a/l": "../b" }, undefined],
    ["a link to the root", { "a/l": ".." }, undefined],
    ["a link above the root", { "a/l": "../.." }, "a/l"],
    ["an absolute link", { l: "/etc" }, "l"],
    ["a link that comes back", { l: "../tree" }, "l"],
    ["two links that leave together", { "a/b/l": "..", m: "a/b/l/../.." }, "m"],
    ["a link through another link's parent", { d: "x/y/z", l: "d/../../../.." }, "l"],
    ["a loop", { a: "b", b: "a" }, undefined],
    ["a link to itself", { a: "a/../../.." }, undefined],
    ["a link into a loop", { a: "b", b: "a", c: "a/../.." }, undefined],
    ["the first of several", { z: "/", a: "/", m: "/" }, "a"],
  ])("judges %s", (_, links, expected) => {
    expect(escaping(links)).toBe(expected);
  });

  it("judges as one walk without memory does", () => {
    const name = fc.constantFrom("a", "b", "c", "..", ".");
    const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 });
    const target = fc.array(name, { minLength: 1, maxLength: 6 });
    const links = fc.dictionary(
      path.map((names) => names.join("/")),
      target.map((names) => names.join("/")),
      { maxKeys: 5 },
    );
    fc.assert(
      fc.property(links, (all) => {
        const paths = Object.keys(all);
        // No tree has a path below a link.
        const kept = Object.fromEntries(
          Object.entries(all).filter(([at]) => !paths.some((other) => at.startsWith(`${other}/`))),
        );
        const expected = Object.keys(kept)
          .sort()
          .find((at) => leavesTree(at, kept));
        expect(escaping(kept)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("does work that is linear in the size of the links, whatever they form", () => {
    const depth = (levels: number) => Array.from({ length: levels }, (_, index) => `d${index}`).join("/");
    const time = (links: Map<string, string>) => {
      const before = process.threadCpuUsage(); // the processor's time: what else runs here does not count
      findEscapingLink(links);
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / 1000;
    };
    const deep = (repeats: number) => new Map([[`${depth(400)}/l`, `${"b/../".repeat(repeats)}l`]]);
    const chain = (length: number) =>
      new Map(Array.from({ length }, (_, index) => [`l${index}`, `${"x/../".repeat(200)}l${index + 1}`]));
    for (const make of [deep, chain]) {
      time(make(500)); // warm
      const small = Math.max(1, time(make(1000)));
      expect(time(make(8000)) / small, String(make)).toBeLessThan(8 * 8);
    }
  });
});

describe("linkTargetProblem", () => {
  it("names what no file system takes", () => {
    expect(linkTargetProblem("../a")).toBeUndefined();
    expect(linkTargetProblem("x".repeat(4095))).toBeUndefined();
    expect(linkTargetProblem("")).toBe("is empty");
    expect(linkTargetProblem("a\0b")).toBe("is not valid UTF-8");
    expect(linkTargetProblem("ü".repeat(2048))).toBe("is longer than 4095 bytes");
  });
});
