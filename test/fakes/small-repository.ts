import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A repository small enough to know by heart. */
export const SMALL_REPOSITORY: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ name: "shop", imports: { "#shop/*": "./src/*" } }),
  "README.md": "# Shop\n\nSells things.\n\n## Refunds\n\nMoney goes back within a week.\n",
  "src/parse-range.ts": `
/** Reads the first and last page out of a text such as "3-7". */
export function parseRange(text: string): [number, number] {
  const [first = "", last = first] = text.split("-");
  return [toPage(first), toPage(last)];
}

function toPage(digits: string): number {
  return Number.parseInt(digits, 10);
}
`,
  "src/basket.ts": `
import { sumPrices } from "#shop/prices.ts";

export class Basket {
  readonly #items = new Map<string, number>();

  /** Takes one kind of item out of the basket. */
  deleteItem(name: string): void {
    this.#items.delete(name);
  }

  amount(): number {
    return sumPrices([...this.#items.values()]);
  }
}
`,
  "src/prices.ts": `
/** Sum of all prices, in cents. */
export function sumPrices(prices: number[]): number {
  return prices.reduce((sum, price) => sum + price, 0);
}
`,
  "test/prices.test.ts": `
import { test } from "node:test";
import { sumPrices } from "../src/prices.ts";

test("adds up prices", () => {
  if (sumPrices([1, 2]) !== 3) throw new Error("wrong");
});
`,
};

/** Writes files (path → text or bytes) into a new directory; `remove` deletes it. */
export async function writeTree(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<{ directory: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "tree-"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}
