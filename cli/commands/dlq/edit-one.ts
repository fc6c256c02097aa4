import type { Command } from "commander";
import { FailureEdited } from "#schemas/http/dead-letters.ts";
import { UsageError } from "../../cli-error.ts";
import { readText } from "../../read-text.ts";
import { editLines } from "../../render/failure-table.ts";
import { openSession } from "../../session.ts";

interface Edit {
  payload: string;
  why: string;
  dry_run: boolean;
}

/** Replays one failure with another payload, or shows what that would be. */
export async function editOne(failure: string, { payload, ...rest }: Edit, command: Command): Promise<void> {
  const body = { payload: readObject(payload), ...rest };
  const session = openSession(command);
  session.interruptHints = rest.dry_run
    ? ["Nothing was changed."]
    : ["The edited message may be on its way: agents dlq show"];
  const path = `/api/dlq/failures/${encodeURIComponent(failure)}/edit`;
  const edited = await session.api.post(FailureEdited, path, { body });
  session.answer(edited, () => editLines(edited, session.terminal.paint));
}

/** A JSON object: given itself, in a file, or on standard input for `-`. */
export function readObject(given: string): Record<string, unknown> {
  const is_json = given.trimStart().startsWith("{");
  const where = is_json ? "The JSON" : given;
  const text = is_json ? given : readText(given);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${where} is no JSON: ${(error as Error).message}.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UsageError(`${where} is no JSON object.`);
}
