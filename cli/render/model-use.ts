import { z } from "zod";
import type { StepView } from "#schemas/http/task-view.ts";

/** What models took of a task so far, as its steps say it when they end. */
interface ModelUse {
  /** Rounds that have begun. */
  rounds: number;
  tokens: number;
  usd: number;
}

const Output = z.looseObject({
  spent: z.looseObject({ tokens: z.number(), usd_micros: z.number() }),
});

/** Undefined where no step has asked a model yet. */
export function modelUse(steps: readonly StepView[]): ModelUse | undefined {
  const spent = steps.flatMap(({ output }) => Output.safeParse(output).data?.spent ?? []);
  if (spent.length === 0) return undefined;
  const most = (values: number[]) => Math.max(...values);
  return {
    rounds: most(steps.map(({ round }) => round)) + 1,
    tokens: most(spent.map(({ tokens }) => tokens)),
    usd: most(spent.map(({ usd_micros }) => usd_micros)) / 1e6,
  };
}

const Run = z.looseObject({ run: z.looseObject({ use: z.looseObject({}).nullable() }) });

/** Runs of a coding agent that did not state what they used. */
export function unstatedRuns(steps: readonly StepView[]): number {
  return steps.filter(({ output }) => Run.safeParse(output).data?.run.use === null).length;
}

/** `12,400 tokens, 0.0310 USD` */
export function spentWords({ tokens, usd }: Pick<ModelUse, "tokens" | "usd">): string {
  return `${tokens.toLocaleString("en-US")} tokens, ${usd.toFixed(usd < 1 ? 4 : 2)} USD`;
}
