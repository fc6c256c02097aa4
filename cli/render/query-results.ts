import type { QueryAnswer } from "#schemas/http/query-answer.ts";
import type { Paint } from "./paint.ts";

interface ResultOptions {
  excerpt_lines_max: number;
}

/** Results best first: symbol, place, the beginning of its text, and why it was found. */
export function queryResults(answer: QueryAnswer, paint: Paint, options: ResultOptions): string[] {
  const note = answer.words_only
    ? [paint.dim(`Searched by names and words only: ${answer.words_only.detail}`)]
    : [];
  if (answer.results.length === 0) {
    return [`Nothing found in ${answer.repository}. Try other words.`, ...note];
  }
  const shown = answer.results.flatMap((result, index) => {
    const place = paint.dim(`${result.path}:${result.start_line}-${result.end_line}`);
    const excerpt = result.excerpt
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(0, options.excerpt_lines_max);
    return [
      `${String(index + 1).padStart(2)}. ${paint.bold(result.symbol)} ${result.kind}  ${place}`,
      ...excerpt.map((line) => `    ${paint.cyan("│")} ${line}`),
      ...(result.why.length > 0 ? [paint.dim(`    ${result.why.join("; ")}`)] : []),
    ];
  });
  return [...shown, ...note];
}
