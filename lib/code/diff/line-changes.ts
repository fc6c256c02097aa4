/** Lines `before_start` up to `before_end` (exclusive, from 0) become `after_start` up to `after_end`. */
export interface LineChange {
  before_start: number;
  before_end: number;
  after_start: number;
  after_end: number;
}

/** Past this many inserted and deleted lines the whole differing middle counts as replaced. */
const EDITS_MAX = 2000;

/**
 * The fewest line changes that make `after` of `before`, in order and apart from one another
 * (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, the greedy forward search).
 * Time is bounded by lines × EDITS_MAX and memory by EDITS_MAX².
 */
export function lineChanges(before: readonly string[], after: readonly string[]): LineChange[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const left = before.slice(start, before.length - end);
  const right = after.slice(start, after.length - end);
  if (left.length === 0 && right.length === 0) return [];
  const found = shortestEdit(left, right);
  const whole = [{ before_start: 0, before_end: left.length, after_start: 0, after_end: right.length }];
  return (found ?? whole).map((change) => ({
    before_start: change.before_start + start,
    before_end: change.before_end + start,
    after_start: change.after_start + start,
    after_end: change.after_end + start,
  }));
}

function shortestEdit(before: readonly string[], after: readonly string[]): LineChange[] | undefined {
  const [left, right] = numbered(before, after);
  const edits_max = Math.min(left.length + right.length, EDITS_MAX);
  const offset = edits_max + 1;
  const furthest = new Int32Array(2 * edits_max + 3);
  const rows: Int32Array[] = [];
  for (let edits = 0; edits <= edits_max; edits++) {
    rows.push(furthest.slice(offset - edits - 1, offset + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const down = furthest[offset + diagonal + 1] ?? 0;
      const across = (furthest[offset + diagonal - 1] ?? 0) + 1;
      let x = isDown(diagonal, edits, across - 1, down) ? down : across;
      while (x < left.length && x - diagonal < right.length && left[x] === right[x - diagonal]) x++;
      furthest[offset + diagonal] = x;
      if (x >= left.length && x - diagonal >= right.length) return retrace(rows, left.length, right.length);
    }
  }
  return undefined;
}

function isDown(diagonal: number, edits: number, left_neighbor: number, right_neighbor: number): boolean {
  return diagonal === -edits || (diagonal !== edits && left_neighbor < right_neighbor);
}

/** Walks the rows backwards; row `edits` holds diagonals -edits-1 … edits+1. */
function retrace(rows: readonly Int32Array[], left_length: number, right_length: number): LineChange[] {
  const changes: LineChange[] = [];
  let x = left_length;
  let y = right_length;
  for (let edits = rows.length - 1; edits > 0; edits--) {
    const row = rows[edits];
    const at = (diagonal: number) => row?.[diagonal + edits + 1] ?? 0;
    const diagonal = x - y;
    const down = isDown(diagonal, edits, at(diagonal - 1), at(diagonal + 1));
    const from = down ? diagonal + 1 : diagonal - 1;
    x = at(from);
    y = x - from;
    prepend(changes, {
      before_start: x,
      before_end: down ? x : x + 1,
      after_start: y,
      after_end: down ? y + 1 : y,
    });
  }
  return changes.reverse();
}

/** Adds an edit that comes before all others (`changes` is in reverse), joining neighbors. */
function prepend(changes: LineChange[], edit: LineChange): void {
  const next = changes.at(-1);
  if (next?.before_start === edit.before_end && next.after_start === edit.after_end) {
    next.before_start = edit.before_start;
    next.after_start = edit.after_start;
  } else changes.push(edit);
}

function numbered(before: readonly string[], after: readonly string[]): [Int32Array, Int32Array] {
  const numbers = new Map<string, number>();
  const numberOf = (line: string) => {
    const number = numbers.get(line) ?? numbers.size;
    numbers.set(line, number);
    return number;
  };
  return [Int32Array.from(before, numberOf), Int32Array.from(after, numberOf)];
}
