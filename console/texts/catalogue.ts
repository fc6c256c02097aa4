import { DEAD_LETTER_TEXTS } from "./dead-letters.ts";
import { FRAME_TEXTS } from "./frame.ts";
import { OPERATE_TEXTS } from "./operate.ts";
import { STATE_TEXTS } from "./states.ts";
import { TASK_TEXTS } from "./tasks.ts";

/** Every text of the console, in English and in Korean. `{name}` stands for a value. */
export const CATALOGUE = {
  ...FRAME_TEXTS,
  ...STATE_TEXTS,
  ...TASK_TEXTS,
  ...OPERATE_TEXTS,
  ...DEAD_LETTER_TEXTS,
} as const satisfies Readonly<Record<string, readonly [en: string, ko: string]>>;

export type TextKey = keyof typeof CATALOGUE;
