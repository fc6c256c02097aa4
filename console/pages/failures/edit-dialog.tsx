import { useEffect, useRef, useState } from "preact/hooks";
import type { FailureDetail, FailureEdited } from "#schemas/http/dead-letters.ts";
import { ApiProblem, ask } from "../../app/api.ts";
import { named, t } from "../../app/language.ts";
import { Field } from "../../parts/bits.tsx";
import { ProblemNotice } from "../../parts/notices.tsx";
import { DiffText } from "../task/diff.tsx";

interface EditDialogProps {
  detail: FailureDetail;
  onClose(): void;
  onDone(): void;
}

/** Changes the input of a message that failed: checked and compared first, then sent. The original is kept. */
export function EditDialog({ detail, onClose, onDone }: EditDialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState(() => JSON.stringify(detail.envelope?.payload ?? {}, undefined, 2));
  const [why, setWhy] = useState("");
  const [checked, setChecked] = useState<{ of: string; answer: FailureEdited }>();
  const [problem, setProblem] = useState<ApiProblem>();
  const [is_busy, setBusy] = useState(false);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  const is_checked = checked?.of === text;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const body = { payload: parsed(text), why, dry_run: !is_checked };
      const path = `/api/dlq/failures/${encodeURIComponent(detail.failure)}/edit`;
      const answer = await ask<FailureEdited>(path, { method: "POST", body });
      if (!answer.sent) return setChecked({ of: text, answer });
      onDone();
      element.current?.close();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const can_send = !is_checked || checked.answer.expectation === "run";
  return (
    <dialog ref={element} class="wide" onClose={onClose} aria-labelledby="edit-title">
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="edit-title">{t("failure.edit")}</h2>
        <p>{t("failure.edit_about")}</p>
        <Field id="payload" label={t("failure.payload")}>
          <textarea
            id="payload"
            rows={14}
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </Field>
        <Field id="edit-why" label={t("common.reason")} hint={t("replay.why_hint")}>
          <input
            id="edit-why"
            required
            maxLength={500}
            value={why}
            aria-describedby="edit-why-hint"
            onInput={(event) => setWhy(event.currentTarget.value)}
          />
        </Field>
        {is_checked && (
          <section aria-live="polite">
            <h3>{t("failure.difference")}</h3>
            {checked.answer.diff === "" ? (
              <p class="quiet">{t("failure.no_difference")}</p>
            ) : (
              <DiffText text={checked.answer.diff} />
            )}
            <p>
              {named("expectation", checked.answer.expectation)}: {checked.answer.says}
            </p>
          </section>
        )}
        {problem && <ProblemNotice problem={problem} />}
        <div class="buttons">
          <button type="button" onClick={() => element.current?.close()}>
            {t("common.cancel")}
          </button>
          <button type="submit" class="primary" disabled={is_busy || !can_send}>
            {is_busy ? t("common.working") : t(is_checked ? "failure.send_edited" : "failure.check")}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** Throws ApiProblem with the console's own `NOT_JSON`. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new ApiProblem(0, {
      code: "NOT_JSON",
      detail: t("failure.not_json", { why: (error as Error).message }),
    });
  }
}
