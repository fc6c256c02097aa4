const TOKEN = /\s*(#[A-Za-z0-9_]+|:[A-Za-z0-9_]+|[A-Za-z_][A-Za-z0-9_]*|\d+|<>|<=|>=|[=<>(),.[\]+-])/y;

/** The words of a DynamoDB expression, with a place in them. */
export interface Tokens {
  /** The next word, upper-cased, without taking it; "" at the end. */
  peek(): string;
  take(): string;
  /** Takes the next word when it is this one (case-blind). */
  accept(word: string): boolean;
  expect(word: string): void;
}

export function tokenize(expression: string): Tokens {
  const words: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(expression)?.[1];
    if (found === undefined) throw new SyntaxError(`at "${expression.slice(at, at + 20)}" in ${expression}`);
    words.push(found);
  }
  let position = 0;
  const peek = () => (words[position] ?? "").toUpperCase();
  const accept = (word: string) => {
    if (peek() !== word) return false;
    position += 1;
    return true;
  };
  return {
    peek,
    accept,
    take() {
      const word = words[position];
      if (word === undefined) throw new SyntaxError(`unexpected end of ${expression}`);
      position += 1;
      return word;
    },
    expect(word) {
      if (!accept(word))
        throw new SyntaxError(`expected ${word}, found ${peek() || "the end"}: ${expression}`);
    },
  };
}
