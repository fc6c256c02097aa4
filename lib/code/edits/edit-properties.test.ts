import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editText } from "#lib/code/edits/edit-text.ts";
import { findText } from "#lib/code/edits/find-text.ts";
import { readEdits } from "#lib/code/edits/read-edits.ts";
import type { AnsweredEdit } from "#schemas/edits.ts";
import { edited, replacing } from "#test/fakes/edited-tree.ts";

const RUNS = { numRuns: 1500 };
/** Few words and much blank, so that lines repeat and differ by blanks alone. */
const word = fc.constantFrom("a", "b", "ab", "}", "x = 1;", "ü😀", "=======", "");
const blanks = fc.constantFrom("", "", "  ", "    ", "\t");
const lineEnd = fc.constantFrom("\n", "\n", "\r\n");
const line = fc.tuple(blanks, word, fc.constantFrom("", "", " ", "\t")).map((parts) => parts.join(""));
const textOf = (end: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.array(
        fc.tuple(line, end).map((parts) => parts.join("")),
        { maxLength: 12 },
      ),
      fc.constantFrom("", "b", "  a"),
    )
    .map(([lines, last]) => lines.join("") + last);
const text = textOf(lineEnd);
const plainText = textOf(fc.constant("\n"));
const replacement = fc.oneof(plainText, text);

/** Neither a CRLF nor a character of two units is cut in two. */
const notWithin = (of: string, at: number) =>
  /^(?:\r\n|[\ud800-\udbff][\udc00-\udfff])/.test(of.slice(at - 1, at + 1)) ? at - 1 : at;

/** A text and a part of it. */
const partOf = (whole: fc.Arbitrary<string>) =>
  whole.chain((of) =>
    fc.tuple(fc.nat(of.length), fc.nat(of.length)).map(([one, other]) => ({
      of,
      start: notWithin(of, Math.min(one, other)),
      end: notWithin(of, Math.max(one, other)),
    })),
  );
const withoutLineEnds = (of: string) => of.replaceAll("\r\n", "\n");
/** How often, overlaps included. */
function countOf(whole: string, part: string): number {
  let count = 0;
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + 1)) count++;
  return count;
}

describe("an edit", () => {
  it("with an exact search text is what replacing it in place is, line ends aside", () => {
    fc.assert(
      fc.property(partOf(text), replacement, ({ of, start, end }, replace) => {
        const search = of.slice(start, end);
        fc.pre(search !== "" && countOf(of, search) === 1);
        const done = editText("f", of, { search, replace, occurrences: 1 });
        // One line behind other blanks is a shift of indentation, which is tried elsewhere.
        fc.pre(!/^[ \t]/.test(search) || !/[ \t]$/.test(of.slice(0, start)));
        const expected = of.slice(0, start) + replace + of.slice(end);
        if ("refusal" in done) expect(withoutLineEnds(expected)).toBe(withoutLineEnds(of));
        else {
          expect(withoutLineEnds(done.text)).toBe(withoutLineEnds(expected));
          expect(done.text.startsWith(of.slice(0, start))).toBe(true);
          expect(done.text.endsWith(of.slice(end))).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it("and its reverse give the same bytes again", () => {
    fc.assert(
      fc.property(partOf(plainText), plainText, ({ of, start, end }, replace) => {
        const search = of.slice(start, end);
        fc.pre(search !== "" && replace !== "" && countOf(of, search) === 1);
        fc.pre(!/^[ \t]/.test(search + replace) && !/^[ \t]/.test(replace));
        const done = editText("f", of, { search, replace, occurrences: 1 });
        fc.pre(!("refusal" in done));
        if ("refusal" in done) return;
        fc.pre(countOf(done.text, replace) === 1);
        expect(editText("f", done.text, { search: replace, replace: search, occurrences: 1 })).toMatchObject({
          text: of,
        });
      }),
      RUNS,
    );
  });

  it("changes no byte outside of what was found, and finds no more lines than it searched", () => {
    fc.assert(
      fc.property(
        text,
        text,
        replacement,
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        (of, search, replace, whole_lines, occurrences) => {
          fc.pre(search !== "");
          const found = findText(of, { search, occurrences, whole_lines });
          const edit = {
            search,
            replace,
            occurrences,
            ...(whole_lines ? { whole_lines: true as const } : {}),
          };
          const done = editText("f", of, edit);
          if (found.kind !== "found") {
            expect(done).toHaveProperty("refusal");
            return;
          }
          expect(found.places).toHaveLength(occurrences);
          const lineCount = (part: string) => part.split("\n").length;
          for (const { start, end } of found.places) {
            const ended = whole_lines && !search.endsWith("\n") ? `${search}\n` : search;
            expect(lineCount(of.slice(start, end))).toBeLessThanOrEqual(lineCount(ended));
            const bare = (part: string) => part.replaceAll(/[ \t\r\n]/g, "");
            expect(bare(of.slice(start, end))).toBe(bare(search));
          }
          if ("refusal" in done) return;
          let rest = done.text;
          let copied = 0;
          for (const { start, end } of found.places) {
            const between = of.slice(copied, start);
            expect(rest).toContain(between);
            rest = rest.slice(rest.indexOf(between) + between.length);
            copied = end;
          }
          expect(rest.endsWith(of.slice(copied))).toBe(true);
          expect(done.text.startsWith(of.slice(0, found.places[0]?.start))).toBe(true);
        },
      ),
      RUNS,
    );
  });

  it("with its whole search text indented by the same blanks does the same", () => {
    const indented = (of: string) => of.replaceAll(/^(?=[^\r\n])/gm, "    ");
    const lines = fc.array(
      fc.tuple(blanks, fc.constantFrom("a", "b", "c();", "}")).map(([left, right]) => left + right),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(lines, lines, lines, lines, (before, searched, after, replaced) => {
        const join = (some: readonly string[]) => some.map((each) => `${each}\n`).join("");
        const [search, replace] = [join(searched), join(replaced)];
        const of = `begin\n${join(before)}--\n${search}--\n${join(after)}end\n`;
        const exact = editText("f", of, { search, replace, occurrences: 1, whole_lines: true });
        const shifted = editText("f", of, {
          search: indented(search),
          replace: indented(replace),
          occurrences: 1,
          whole_lines: true,
        });
        const is_unique = countOf(of.replaceAll(/^[ \t]+/gm, ""), search.replaceAll(/^[ \t]+/gm, "")) === 1;
        // Where the lines are at other places too it is refused, or exact at one of those.
        if (is_unique && !("refusal" in exact)) expect(shifted).toMatchObject({ text: exact.text });
      }),
      RUNS,
    );
  });
});

describe("a list of edits", () => {
  const change: fc.Arbitrary<AnsweredEdit> = fc.oneof(
    fc
      .tuple(word, word, fc.constantFrom("f", "g", "n"))
      .map(([search, replace, path]) => replacing(search, replace, { path })),
    fc
      .tuple(fc.constantFrom("f", "n", "d/n", "d"), plainText)
      .map(([path, content]) => ({ kind: "write" as const, path, content })),
    fc.constantFrom("f", "g", "n").map((path) => ({ kind: "delete" as const, path })),
    fc
      .tuple(fc.constantFrom("f", "g", "n"), fc.constantFrom("f", "m", "d/m"))
      .map(([path, new_path]) => ({ kind: "rename" as const, path, new_path })),
    fc.constant({ kind: "write" as const, path: ".git/x", content: "x" }),
  );

  it("does what its accepted edits do alone, one after another, and the refused ones do nothing", async () => {
    await fc.assert(
      fc.asyncProperty(text, text, fc.array(change, { maxLength: 6 }), async (f, g, edits) => {
        const all = await edited({ f, g }, edits);
        const numbers = new Set(all.outcome.accepted.map(({ number }) => number));
        const accepted = edits.filter((_, index) => numbers.has(index + 1));
        expect(numbers.size + all.outcome.refused.length).toBe(Math.max(1, edits.length));
        if (accepted.length === 0) return;
        const alone = await edited({ f, g }, accepted);
        expect(alone.tree).toEqual(all.tree);
        expect(alone.codes).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("reading an answer", () => {
  it("gives back what was written in the text form, whatever it is, or refuses it", () => {
    fc.assert(
      fc.property(plainText, plainText, fc.integer({ min: 7, max: 9 }), (left, right, length) => {
        const ended = (of: string) => (of === "" || of.endsWith("\n") ? of : `${of}\n`);
        const [search, replace] = [ended(left), ended(right)];
        const mark = (character: string) => character.repeat(length);
        const answer = `Words.\n\nsrc/f.js\n${mark("<")} SEARCH\n${search}${mark("=")}\n${replace}${mark(">")} REPLACE\nMore words.\n`;
        const [read, ...others] = readEdits(answer);
        expect(others).toEqual([]);
        const has_marker = length === 7 && /^=======[ \t]*$/m.test(search + replace);
        if (has_marker) expect(read).toMatchObject({ code: "EDIT_MALFORMED" });
        else expect(read).toMatchObject({ kind: "replace", path: "src/f.js", search, replace });
      }),
      RUNS,
    );
  });

  it("never throws and never gives an empty list", () => {
    const piece = fc.constantFrom(
      "f\n",
      "<<<<<<< SEARCH\n",
      "=======\n",
      ">>>>>>> REPLACE\n",
      "<<<<<<< FILE\n",
      ">>>>>>> FILE\n",
      "```\n",
      "```diff\n",
      "--- a/f\n",
      "+++ b/f\n",
      "@@ -1,2 +1,2 @@\n",
      "@@\n",
      " a\n",
      "-b\n",
      "+c\n",
      "\n",
      "\\ No newline at end of file\n",
      "diff --git a/f b/f\n",
      "rename from f\n",
      "rename to g\n",
      "new file mode 100644\n",
      "--- /dev/null\n",
      "<think>\n",
      "</think>\n",
      "*** Begin Patch\n",
      "*** End Patch\n",
      "words\n",
      "\r\n",
      '--- "a/f\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        expect(readEdits(pieces.join("")).length).toBeGreaterThan(0);
      }),
      { numRuns: 3000 },
    );
  });
});
