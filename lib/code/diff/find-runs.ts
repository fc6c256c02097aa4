/**
 * The first places, from `from` on and at most `places_max`, at which `lines` has `run` as it is; two may
 * overlap. The character codes of two texts can be given as well.
 * One pass, whatever the lines repeat (Knuth, Morris, Pratt, "Fast Pattern Matching in Strings", 1977).
 */
export function findRuns<Line extends string | number>(
  lines: ArrayLike<Line>,
  run: ArrayLike<Line>,
  from: number,
  places_max: number,
): number[] {
  const places: number[] = [];
  if (run.length === 0) return places;
  const borders = bordersOf(run);
  let matched = 0;
  for (let index = from; index < lines.length && places.length < places_max; index++) {
    while (matched > 0 && lines[index] !== run[matched]) matched = borders[matched - 1] ?? 0;
    if (lines[index] === run[matched]) matched++;
    if (matched < run.length) continue;
    places.push(index - run.length + 1);
    matched = borders[matched - 1] ?? 0;
  }
  return places;
}

/** For each prefix, how much of its beginning is its end too. */
function bordersOf(run: ArrayLike<string | number>): Int32Array {
  const borders = new Int32Array(run.length);
  let border = 0;
  for (let index = 1; index < run.length; index++) {
    while (border > 0 && run[index] !== run[border]) border = borders[border - 1] ?? 0;
    if (run[index] === run[border]) border++;
    borders[index] = border;
  }
  return borders;
}

/** The character codes of a text, in which a run is found faster than in the text itself. */
export function characterCodes(text: string): Uint16Array {
  const codes = new Uint16Array(text.length);
  for (let index = 0; index < text.length; index++) codes[index] = text.charCodeAt(index);
  return codes;
}
