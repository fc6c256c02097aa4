import picocolors from "picocolors";
import type { Verdict } from "#schemas/primitives.ts";

/** Colours, or the same functions doing nothing. */
export type Paint = ReturnType<typeof picocolors.createColors>;

export function createPaint(enabled: boolean): Paint {
  return picocolors.createColors(enabled);
}

/** A verdict's sign in its colour; `undefined` is a task or step that was canceled. */
export function verdictSign(verdict: Verdict | undefined, paint: Paint): string {
  if (verdict === "passed") return paint.green("✓");
  if (verdict === "failed") return paint.red("✗");
  return verdict === "error" ? paint.red("!") : paint.yellow("–");
}
