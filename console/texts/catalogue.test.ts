import { describe, expect, it } from "vitest";
import { CATALOGUE } from "./catalogue.ts";
import { DEAD_LETTER_TEXTS } from "./dead-letters.ts";
import { FRAME_TEXTS } from "./frame.ts";
import { OPERATE_TEXTS } from "./operate.ts";
import { STATE_TEXTS } from "./states.ts";
import { TASK_TEXTS } from "./tasks.ts";

const texts: [string, readonly [string, string]][] = Object.entries(CATALOGUE);
const values = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe("the console's texts", () => {
  it("are each in both languages", () => {
    const missing = texts.filter(([, [en, ko]]) => en.trim() === "" || ko.trim() === "");
    expect(missing).toEqual([]);
  });

  it("have the same values in both languages", () => {
    const different = texts.filter(([, [en, ko]]) => values(en).join() !== values(ko).join());
    expect(different).toEqual([]);
  });

  it("are Korean in Korean, but for names that are the same in both", () => {
    const same = ["URL", "Git URL", "{step}: {state}"];
    const english = texts.filter(([, [, ko]]) => !/[가-힣]/.test(ko) && !same.includes(ko));
    expect(english).toEqual([]);
  });

  it("are each in one file only", () => {
    const parts = [FRAME_TEXTS, STATE_TEXTS, TASK_TEXTS, OPERATE_TEXTS, DEAD_LETTER_TEXTS];
    const keys = parts.flatMap((part) => Object.keys(part));
    expect(keys).toHaveLength(new Set(keys).size);
  });
});
