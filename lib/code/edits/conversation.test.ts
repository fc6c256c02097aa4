import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyEdits, NOTHING_SHOWN } from "#lib/code/edits/apply-edits.ts";
import { EDIT_LIMITS } from "#lib/code/edits/edit-limits.ts";
import { showFile } from "#lib/code/edits/show-file.ts";
import type { AnsweredEdit } from "#schemas/edits.ts";
import { inTree } from "#test/fakes/diff-tree.ts";
import { bytesByPath, edited, replacing, showAll } from "#test/fakes/edited-tree.ts";

const BOM = "\uFEFF";
const _lines = { whole_lines: true } as const;

describe("what was shown", () => {
  const show = (directory: string, path: string, state = NOTHING_SHOWN, options = {}) =>
    showFile(directory, path, state, options);
  const stateOf = async (directory: string, path: string, options = {}) => {
    const shown = await show(directory, path, NOTHING_SHOWN, options);
    if (shown.kind !== "shown") throw new Error(shown.message);
    return shown.state;
  };

  it("is needed to edit a file that is there", async () => {
    await inTree({ f: "a\n" }, async (directory) => {
      for (const edit of [
        replacing("a", "b"),
        { kind: "write", path: "f", content: "x" },
        { kind: "delete", path: "f" },
        { kind: "rename", path: "f", new_path: "g" },
      ] as AnsweredEdit[]) {
        const { refused } = await applyEdits(directory, [edit], NOTHING_SHOWN);
        expect(refused).toMatchObject([{ code: "EDIT_FILE_NOT_SHOWN", path: "f" }]);
      }
      expect(await bytesByPath(directory)).toEqual({ f: "a\n" });
    });
  });

  it("must not have changed since", async () => {
    await inTree({ f: "a\n" }, async (directory) => {
      const state = await stateOf(directory, "f");
      await writeFile(join(directory, "f"), "a\n\n");
      for (const edit of [
        replacing("a", "b"),
        { kind: "write", path: "f", content: "x" },
        { kind: "delete", path: "f" },
      ] as AnsweredEdit[]) {
        const { refused } = await applyEdits(directory, [edit], state);
        expect(refused).toMatchObject([{ code: "EDIT_FILE_CHANGED" }]);
      }
      expect(await bytesByPath(directory)).toEqual({ f: "a\n\n" });
      const again = await stateOf(directory, "f");
      expect((await applyEdits(directory, [replacing("a", "b")], again)).refused).toEqual([]);
    });
  });

  it("follows the edits of the conversation", async () => {
    await inTree({ f: "a\n" }, async (directory) => {
      const first = await applyEdits(
        directory,
        [replacing("a", "b"), replacing("b", "c")],
        await stateOf(directory, "f"),
      );
      expect(first.refused).toEqual([]);
      const second = await applyEdits(
        directory,
        [replacing("c", "d"), { kind: "write", path: "f", content: "e\n" }],
        first.state,
      );
      expect(second.refused).toEqual([]);
      expect(await bytesByPath(directory)).toEqual({ f: "e\n" });
      const stale = await applyEdits(directory, [replacing("e", "f")], first.state);
      expect(stale.refused).toMatchObject([{ code: "EDIT_FILE_CHANGED" }]);
    });
  });

  it("must be the whole file for it to be replaced whole, in one part or several", async () => {
    await inTree({ f: "1\n2\n3\n4\n" }, async (directory) => {
      const write: AnsweredEdit = { kind: "write", path: "f", content: "x\n" };
      const part = await show(directory, "f", NOTHING_SHOWN, { lines_max: 2 });
      if (part.kind !== "shown") throw new Error("not shown");
      expect(part).toMatchObject({ text: "1\n2\n", from_line: 1, to_line: 2, lines_total: 4 });
      expect((await applyEdits(directory, [write], part.state)).refused).toMatchObject([
        { code: "EDIT_FILE_NOT_SHOWN" },
      ]);
      expect((await applyEdits(directory, [replacing("4", "4!")], part.state)).refused).toEqual([]);
      const begin = await stateOf(directory, "f", { lines_max: 2 });
      const rest = await show(directory, "f", begin, { from_line: 3 });
      if (rest.kind !== "shown") throw new Error("not shown");
      expect(rest.text).toBe("3\n4!\n");
      expect((await applyEdits(directory, [write], rest.state)).refused).toEqual([]);
    });
  });

  it("has line feeds and no byte order mark, and line numbers where they are wanted", async () => {
    await inTree({ f: `${BOM}a\r\n  b` }, async (directory) => {
      expect(await show(directory, "f")).toMatchObject({ text: "a\n  b\n", to_line: 2 });
      expect(await show(directory, "f", NOTHING_SHOWN, { numbered: true, from_line: 2 })).toMatchObject({
        text: "     2|   b\n",
      });
      expect(await show(directory, "f", NOTHING_SHOWN, { characters_max: 3 })).toMatchObject({
        text: "a\n",
        to_line: 1,
        lines_total: 2,
      });
      expect(await show(directory, "f", NOTHING_SHOWN, { from_line: 9 })).toMatchObject({
        text: "",
        to_line: 8,
      });
    });
  });

  it("is refused for what cannot be edited", async () => {
    await inTree(
      { f: "a\n", b: Buffer.from([0]), l: Buffer.from([0xff]) },
      async (directory) => {
        const codes = await Promise.all(
          ["b", "l", "gone", "../f", "link", ".git/x"].map(async (path) => {
            const shown = await show(directory, path);
            return shown.kind === "refused" ? shown.code : shown.text;
          }),
        );
        expect(codes).toEqual([
          "EDIT_FILE_NOT_TEXT",
          "EDIT_FILE_NOT_TEXT",
          "EDIT_FILE_MISSING",
          "EDIT_PATH_UNSAFE",
          "EDIT_PATH_UNSAFE",
          "EDIT_PATH_UNSAFE",
        ]);
        const limits = { ...EDIT_LIMITS, file_bytes_max: 1 };
        expect(await showFile(directory, "f", NOTHING_SHOWN, {}, limits)).toMatchObject({
          code: "EDIT_TOO_LARGE",
        });
      },
      { link: "f" },
    );
  });
});

describe("refused edits", () => {
  it("stop no other edit, and only they are given back", async () => {
    const { tree, outcome } = await edited({ f: "a\nb\n", g: "g\n" }, [
      replacing("a", "x"),
      replacing("nowhere", "y"),
      replacing("g", "G", { path: "g" }),
    ]);
    expect(tree).toEqual({ f: "x\nb\n", g: "G\n" });
    expect(outcome.accepted.map(({ number }) => number)).toEqual([1, 3]);
    expect(outcome.refused.map(({ number, code }) => [number, code])).toEqual([[2, "EDIT_SEARCH_NOT_FOUND"]]);
  });

  it("come with the nearest lines", async () => {
    const text = `${Array.from({ length: 50 }, (_, index) => `line ${index + 1}`).join("\n")}\nfunction greet(name) {\n  return "hello, " + name;\n}\nend\n`;
    const { outcome } = await edited({ f: text }, [
      replacing('function greet(name) {\n  return "hi, " + name;\n}\n', "x"),
      replacing("  return `hello`;\n", "x"),
      replacing("line 1", "x"),
      replacing("%%%", "x"),
    ]);
    const [by_lines, by_words, places, none] = outcome.refused;
    expect(by_lines?.nearby).toEqual([
      {
        from_line: 49,
        lines: ["line 49", "line 50", "function greet(name) {", '  return "hello, " + name;', "}", "end"],
      },
    ]);
    expect(by_words?.nearby[0]?.lines).toContain('  return "hello, " + name;');
    expect(places?.message).toMatch(/occurs 11 times in "f" \(line 1, 10, 11, .*…\)/);
    expect(places?.nearby).toHaveLength(4);
    expect(places?.nearby[0]).toEqual({ from_line: 1, lines: ["line 1", "line 2", "line 3"] });
    expect(none?.nearby).toEqual([]);
  });

  it("that have line numbers in them are told so", async () => {
    const { outcome } = await edited({ f: "a\nb\n" }, [replacing("     1| a\n     2| b\n", "x\n")]);
    expect(outcome.refused[0]?.message).toContain("line numbers");
  });

  it("ask for the whole file after three of them on a file, until that came", async () => {
    await inTree({ f: "a\n", g: "g\n" }, async (directory) => {
      const wrong = replacing("no", "x");
      const one = await applyEdits(
        directory,
        [wrong, replacing("no", "x", { path: "g" })],
        await showAll(directory),
      );
      const two = await applyEdits(directory, [wrong], one.state);
      expect([one, two].map(({ whole_files_wanted }) => whole_files_wanted)).toEqual([[], []]);
      const three = await applyEdits(directory, [wrong], two.state);
      expect(three.whole_files_wanted).toEqual(["f"]);
      const four = await applyEdits(directory, [replacing("a", "b")], three.state);
      expect(four).toMatchObject({ refused: [], whole_files_wanted: [] });
      const whole = await applyEdits(
        directory,
        [{ kind: "write", path: "f", content: "c\n" }, wrong],
        four.state,
      );
      expect(whole).toMatchObject({ refused: [{ number: 2 }], whole_files_wanted: [] });
    });
  });

  it("of an answer without any edit have a code of their own", async () => {
    const { outcome } = await edited({ f: "a\n" }, []);
    expect(outcome).toMatchObject({ accepted: [], refused: [{ code: "EDITS_MISSING" }] });
  });

  it("that could not be read are among them, with their number", async () => {
    const { outcome, tree } = await edited({ f: "a\n" }, [
      { kind: "unreadable", path: "f", code: "EDIT_MALFORMED", message: "broken" },
      replacing("a", "b"),
    ]);
    expect(outcome.refused).toEqual([
      { number: 1, path: "f", code: "EDIT_MALFORMED", message: "broken", nearby: [] },
    ]);
    expect(tree).toEqual({ f: "b\n" });
  });
});
