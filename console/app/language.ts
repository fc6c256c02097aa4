import { CATALOGUE, type TextKey } from "../texts/catalogue.ts";

export type Language = "en" | "ko";

const KEPT_AS = "console.language";

/** The reader's choice, or else the browser's first language that the console has. */
function initialLanguage(): Language {
  const wanted = [localStorage.getItem(KEPT_AS) ?? "", ...navigator.languages];
  const known = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag === "en" || tag === "ko");
  return (known as Language | undefined) ?? "en";
}

let language: Language = initialLanguage();
document.documentElement.lang = language;

/** The language of all texts and of all numbers and dates. */
export function currentLanguage(): Language {
  return language;
}

/** Keeps the choice for this browser. The page must be drawn again afterwards. */
export function chooseLanguage(chosen: Language): void {
  language = chosen;
  localStorage.setItem(KEPT_AS, chosen);
  document.documentElement.lang = chosen;
}

/** The text of a key in the reader's language, with `{name}` replaced by the value of that name. */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  const [en, ko] = CATALOGUE[key];
  const text = language === "ko" ? ko : en;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The text of `<group>.<name>` where there is one, or else `name` itself, which is then data of the API. */
export function named(group: string, name: string): string {
  const key = `${group}.${name}`;
  return Object.hasOwn(CATALOGUE, key) ? t(key as TextKey) : name;
}
