import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiProblem } from "../app/api.ts";
import { t } from "../app/language.ts";
import { ProblemNotice } from "./notices.tsx";

interface DialogProps {
  title: string;
  /** What the button that acts says. */
  action: string;
  is_dangerous?: boolean;
  /** False while it cannot be confirmed yet. */
  is_ready?: boolean;
  children?: ComponentChildren;
  /** Does it. The dialog closes when it has succeeded, and shows why when not. */
  onConfirm(form: FormData): Promise<void>;
  onClose(): void;
}

/** A question before something is done. The browser keeps the focus inside and gives it back afterwards. */
export function Dialog({
  title,
  action,
  is_dangerous,
  is_ready = true,
  children,
  onConfirm,
  onClose,
}: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState<ApiProblem>();
  const [is_busy, setBusy] = useState(false);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onConfirm(new FormData(event.currentTarget as HTMLFormElement));
      element.current?.close();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <dialog ref={element} onClose={onClose} aria-labelledby="dialog-title">
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        {problem && <ProblemNotice problem={problem} />}
        <div class="buttons">
          <button type="button" onClick={() => element.current?.close()}>
            {t("common.cancel")}
          </button>
          <button type="submit" class={is_dangerous ? "danger" : "primary"} disabled={is_busy || !is_ready}>
            {is_busy ? t("common.working") : action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
