import { Argument, Command } from "commander";
import { type CircuitCommand, Circuits, CircuitView } from "#schemas/http/circuits.ts";
import { UsageError } from "../cli-error.ts";
import { circuitLines, circuitTable } from "../render/circuit-table.ts";
import { openSession } from "../session.ts";

const EXAMPLES = `
Examples:
  $ agents circuits
  $ agents circuits open codegen.worker.model --why "the provider asked us to stop" --for 600
  $ agents circuits reset codegen.worker.model --why "the provider is back"
  $ agents circuits --json | jq '.circuits[] | select(.state != "closed") | .trail'`;

const ACTIONS: Record<string, CircuitCommand["action"]> = {
  open: "force_open",
  close: "force_closed",
  reset: "reset",
};

interface Options {
  why?: string;
  for?: string;
}

async function circuits(
  action: string | undefined,
  key: string | undefined,
  options: Options,
  command: Command,
): Promise<void> {
  const session = openSession(command);
  session.interruptHints = [];
  const { paint } = session.terminal;
  if (action === undefined) {
    const answer = await session.api.get(Circuits, "/api/circuits");
    session.answer(answer, () => circuitTable(answer, paint, Date.now()));
    return;
  }
  const body = commandOf(action, key, options);
  const view = await session.api.post(CircuitView, `/api/circuits/${encodeURIComponent(key ?? "")}`, {
    body,
  });
  session.answer(view, () => circuitLines(view, view.key.length, paint, Date.now()));
}

function commandOf(action: string, key: string | undefined, options: Options): CircuitCommand {
  if (!key || !options.why) {
    const message = `Say which circuit and why: agents circuits ${action} <key> --why <text>.`;
    throw new UsageError(message, "agents circuits lists the keys.");
  }
  const seconds = options.for === undefined ? undefined : Number(options.for);
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds > 0)) {
    throw new UsageError(`--for is a number of seconds, not ${options.for}.`);
  }
  return {
    action: ACTIONS[action] ?? "reset",
    why: options.why,
    ...(seconds !== undefined && { for_seconds: seconds }),
  };
}

export function circuitsCommand(): Command {
  return new Command("circuits")
    .summary("show the circuits of all dependencies; open, close or reset one")
    .description(
      "Show the circuit of every dependency. With an action: hold one open or closed, or reset it.",
    )
    .addArgument(new Argument("[action]", "what to do").choices(Object.keys(ACTIONS)))
    .argument("[key]", "which circuit, as in codegen.worker.model")
    .option("--why <text>", "why, for the trail")
    .option("--for <seconds>", "how long to hold it (default: until reset)")
    .addHelpText("after", EXAMPLES)
    .action(circuits);
}
