import { diffArrays } from "diff";

/** Past this many inserted and deleted lines the whole differing middle counts as replaced. */
const EDITS_MAX = 2000;

/** Lines `before_start` up to `before_end` (exclusive, from 0) become `after_start` up to `after_end`. */
export interface LineChange {
  before_start: number;
  before_end: number;
  after_start: number;
  after_end: number;
}

/**
 * The fewest line changes that make `after` of `before`, in order and apart from one another (jsdiff,
 * after Myers, "An O(ND) Difference Algorithm and Its Variations", 1986). Lines are numbered first,
 * so that comparing two costs the same however long they are. Time is bounded by lines × EDITS_MAX.
 */
export function lineChanges(before: readonly string[], after: readonly string[]): LineChange[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const numbers = new Map<string, number>();
  const numbered = (lines: readonly string[]) =>
    lines.slice(start, lines.length - end).map((line) => {
      const number = numbers.get(line) ?? numbers.size;
      numbers.set(line, number);
      return number;
    });
  const parts = diffArrays(numbered(before), numbered(after), { maxEditLength: EDITS_MAX });
  const changes: LineChange[] = [];
  let position = start;
  let position_after = start;
  let open: LineChange | undefined;
  for (const { count, added, removed } of parts ?? wholeParts(before.length, after.length, start + end)) {
    if (added || removed) {
      if (open === undefined) {
        open = {
          before_start: position,
          before_end: position,
          after_start: position_after,
          after_end: position_after,
        };
        changes.push(open);
      }
      if (removed) open.before_end = position += count;
      else open.after_end = position_after += count;
    } else {
      open = undefined;
      position += count;
      position_after += count;
    }
  }
  return changes;
}

function wholeParts(before_count: number, after_count: number, same_count: number) {
  return [
    { count: before_count - same_count, added: false, removed: true },
    { count: after_count - same_count, added: true, removed: false },
  ];
}
