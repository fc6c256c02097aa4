import { expect, it } from "vitest";
import { LOG_CODES } from "#lib/platform/log/codes.ts";
import { jsonLog } from "#lib/platform/log/json-log.ts";

it("is in alphabetical order and has a sentence for each code", () => {
  expect(Object.keys(LOG_CODES)).toEqual(Object.keys(LOG_CODES).sort());
  for (const says of Object.values(LOG_CODES)) expect(says).toMatch(/^[A-Z].*\.$/);
});

/** `npm run check` compiles this file. */
it("is held by the compiler, and reaches the line", () => {
  const lines: string[] = [];
  const log = jsonLog({ service: "a" }, (line) => lines.push(line));
  log.info("STEP_ENDED", "x", { verdict: "passed" });
  // @ts-expect-error a code that is not in the catalogue
  log.warn("NO_SUCH_CODE", "x");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: "info", code: "STEP_ENDED", service: "a", verdict: "passed" },
    { level: "warn" },
  ]);
});
