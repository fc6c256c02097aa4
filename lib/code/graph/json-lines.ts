import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";

/** Written or read before the event loop gets a turn: some milliseconds of work. */
const SLICE_BYTES = 256 * 1024;
/** A line with more than this is refused: it is parsed without a pause. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;
const LINE_FEED = 10;

/**
 * An object with long lists, written as lines of JSON: first what is no list, then each list in pieces, as
 * `{"chunks":[…]}`. Both ways take a bounded number of milliseconds at a time, so that a process that serves
 * others stays prompt whatever was submitted.
 */
export async function toJsonLines(object: Readonly<Record<string, unknown>>): Promise<Buffer> {
  const lists = Object.entries(object).filter(([, value]) => Array.isArray(value)) as [string, unknown[]][];
  const rest = Object.fromEntries(Object.entries(object).filter(([, value]) => !Array.isArray(value)));
  const lines: Buffer[] = [Buffer.from(`${JSON.stringify(rest)}\n`)];
  for (const [name, list] of lists) {
    let pieces: string[] = [];
    let characters = 0;
    for (const [place, value] of list.entries()) {
      const piece = JSON.stringify(value);
      pieces.push(piece);
      characters += piece.length;
      if (characters < SLICE_BYTES && place < list.length - 1) continue;
      lines.push(Buffer.from(`{${JSON.stringify(name)}:[${pieces.join(",")}]}\n`));
      if (characters >= SLICE_BYTES) await nextTurn();
      pieces = [];
      characters = 0;
    }
  }
  return Buffer.concat(lines);
}

/**
 * The object that `toJsonLines` wrote, each line checked by the schema. An object in one line is read too.
 *
 * @throws Error when it is not such an object, or has a line that is too long
 */
export async function fromJsonLines<Shape extends z.ZodRawShape>(
  bytes: Buffer,
  schema: z.ZodObject<Shape>,
): Promise<z.infer<z.ZodObject<Shape>>> {
  const line_schema = schema.partial();
  const lists = Object.fromEntries(
    Object.entries(schema.shape)
      .filter(([, field]) => field instanceof z.ZodArray)
      .map(([name]): [string, unknown[]] => [name, []]),
  );
  let rest: object = {};
  let since_turn = 0;
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    if (end - start > LINE_BYTES_MAX) throw new Error(`A line has ${end - start} bytes.`);
    const line = line_schema.parse(JSON.parse(bytes.toString("utf8", start, end)));
    for (const [name, value] of Object.entries(line)) {
      const list = Object.hasOwn(lists, name) ? lists[name] : undefined;
      if (list) for (const each of value as unknown[]) list.push(each);
      else rest = { ...rest, [name]: value };
    }
    since_turn += end - start;
    if (since_turn >= SLICE_BYTES) {
      await nextTurn();
      since_turn = 0;
    }
    start = end + 1;
  }
  const none = Object.fromEntries(Object.keys(lists).map((name) => [name, []]));
  return { ...schema.parse({ ...rest, ...none }), ...lists };
}
