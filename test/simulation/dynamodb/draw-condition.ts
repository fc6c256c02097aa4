import type { Random } from "../engine/random.ts";
import type { Item } from "./values.ts";

const ATTRIBUTES = ["aa", "bb", "cc", "dd"];

/** An item whose attributes are there or not, numbers, strings or lists. */
export function drawItem(random: Random, sk: string): Item {
  const item: Item = { pk: "generated", sk };
  for (const name of ATTRIBUTES) {
    if (random.chance(0.8)) item[name] = drawValue(random);
  }
  return item;
}

function drawValue(random: Random): unknown {
  if (random.chance(0.5)) return random.int(0, 2);
  if (random.chance(0.7)) return random.pick(["a", "ab", "b"]);
  return Array.from({ length: random.int(0, 3) }, () => random.int(0, 1));
}

export interface DrawnCondition {
  text: string;
  values: Record<string, unknown>;
}

/** A condition of the operators the code uses, nested at random. */
export function drawCondition(random: Random): DrawnCondition {
  const values: Record<string, unknown> = {};
  const value = () => {
    const name = `:v${Object.keys(values).length}`;
    values[name] = drawValue(random);
    return name;
  };
  const scalar = () => {
    const name = `:v${Object.keys(values).length}`;
    values[name] = random.chance(0.5) ? random.int(0, 2) : random.pick(["a", "ab", "b"]);
    return name;
  };
  const leaf = (): string => {
    const name = random.pick(ATTRIBUTES);
    switch (random.int(0, 9)) {
      case 0:
        return `attribute_exists(${name})`;
      case 1:
        return `attribute_not_exists(${name})`;
      case 2:
        return `${name} IN (${value()}, ${value()})`;
      case 3:
        return `${name} ${random.pick(["=", "<>"])} ${value()}`;
      case 4:
        return `#aa = ${value()}`;
      default:
        return `${name} ${random.pick(["<", "<=", ">", ">="])} ${scalar()}`;
    }
  };
  const tree = (depth: number): string => {
    if (depth === 0 || random.chance(0.5)) return leaf();
    const joined = `${tree(depth - 1)} ${random.pick(["AND", "OR"])} ${tree(depth - 1)}`;
    const way = random.int(0, 3);
    return way === 0 ? `NOT (${joined})` : way === 1 ? joined : `(${joined}) AND ${leaf()}`;
  };
  return { text: tree(2), values };
}
