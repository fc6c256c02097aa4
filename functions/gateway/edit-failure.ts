import { editMessage, expectEdit } from "#lib/agents/dlq/edit-payload.ts";
import { isOpen } from "#lib/agents/dlq/failure-store.ts";
import { failedMessage, replayMessage } from "#lib/agents/dlq/replay-message.ts";
import { HttpError } from "#lib/platform/errors/http-error.ts";
import type { FailureEdit, FailureEdited } from "#schemas/http/dead-letters.ts";
import type { Administrator } from "./administrator.ts";
import { findFailureOf, type Viewer } from "./failures.ts";
import type { GatewayPorts } from "./ports.ts";

/**
 * Replays one failure with another payload. The failure's record keeps the original message; the new one names it in
 * `replay_of`, and the step's record keeps the new payload, with which the orchestrator sends the step again from
 * then on. Refuses a payload that the agent's input schema does not take.
 *
 * @throws HttpError 404 `FAILURE_NOT_FOUND`, 409 `EDIT_NOT_POSSIBLE`, 422 `BODY_INVALID`
 */
export async function editFailure(
  viewer: Viewer & Pick<Administrator, "audited" | "subject">,
  name: string,
  { payload, why, dry_run }: FailureEdit,
  ports: GatewayPorts,
): Promise<FailureEdited> {
  const failure = await findFailureOf(viewer, name, ports);
  if (!isOpen(failure.record)) throw notPossible("the failure was replayed, resolved or discarded before");
  const made = await editMessage(failure, { payload }, ports);
  if ("refused" in made) {
    if (made.refused === "EDIT_NOT_POSSIBLE") throw notPossible(made.says);
    const errors = made.errors?.map(({ path, message }) => ({
      path: `/payload${path}`.slice(0, 300),
      message: message.slice(0, 500),
    }));
    throw new HttpError("BODY_INVALID", made.says, errors);
  }
  const { edited, diff } = made;
  const shown = { failure: name, diff };
  if (dry_run) return { ...shown, ...(await expectEdit(failure, ports)), sent: false, message_id: null };
  const detail = { why, task_id: edited.task_id, payload_hash: edited.source_hash };
  return viewer.audited({ action: "dlq.edit", target: name, detail }, async () => {
    const edit = { edited, by: viewer.subject, why };
    const done = await replayMessage(failedMessage(failure), ports, { edit });
    const { did, reason, sentence: says, message_id = null } = done;
    if (did !== "sent") throw notPossible(says);
    return { ...shown, expectation: "run", reason, says, sent: true, message_id };
  });
}

function notPossible(says: string): HttpError {
  return new HttpError("EDIT_NOT_POSSIBLE", says);
}
