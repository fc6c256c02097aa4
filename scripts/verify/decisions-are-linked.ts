import type { Rule } from "./rule.ts";

const FOLDER = "docs/decisions/";
const NUMBERED = /^(\d{4})-[a-z0-9-]+\.md$/;

/** Each decision record has a number of its own and can be found from ARCHITECTURE.md. */
export const decisionsAreLinked: Rule = {
  name: "decisions-are-linked",
  check(tree) {
    const records = tree.files
      .filter((path) => path.startsWith(FOLDER) && path.endsWith(".md"))
      .map((path) => path.slice(FOLDER.length));
    const map = tree.has("ARCHITECTURE.md") ? tree.read("ARCHITECTURE.md") : "";
    const firstWith = new Map<string, string>();
    return records.flatMap((file) => {
      const number = NUMBERED.exec(file)?.[1];
      if (!number) return [`${FOLDER}${file}: name it <four digits>-<words>.md.`];
      const other = firstWith.get(number);
      firstWith.set(number, other ?? file);
      return [
        ...(other ? [`${FOLDER}${file} has the number of ${other}: take the next free one.`] : []),
        ...(map.includes(`${FOLDER}${file}`) ? [] : [`${FOLDER}${file}: link it from ARCHITECTURE.md.`]),
      ];
    });
  },
};
