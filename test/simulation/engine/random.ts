/** A seeded source of chance; every draw of a simulation comes from one of these. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [low, high]. */
  int(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** Lower-case hex of `bytes` bytes. */
  hex(bytes: number): string;
  uuid(): string;
}

/** The generator sfc32 (PractRand suite, public domain), seeded through splitmix32. */
export function seededRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) | 0;
  const seeded = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
  let a = seeded();
  let b = seeded();
  let c = seeded();
  let counter = 1;

  const bits = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  const next = () => bits() / 0x1_0000_0000;
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const hex = (bytes: number) => {
    let text = "";
    for (let index = 0; index < bytes; index += 1) text += int(0, 255).toString(16).padStart(2, "0");
    return text;
  };
  return {
    next,
    int,
    chance: (probability) => probability > 0 && next() < probability,
    pick: (items) => items[int(0, items.length - 1)] as (typeof items)[number],
    hex,
    uuid() {
      const digits = hex(16);
      const variant = "89ab"[int(0, 3)];
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
    },
  };
}
