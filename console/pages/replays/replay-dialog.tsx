import { useState } from "preact/hooks";
import type { z } from "zod";
import type { ReplayPreview, ReplayRequest, ReplaySelection, ReplayView } from "#schemas/http/replays.ts";
import { ask } from "../../app/api.ts";
import { formatCount } from "../../app/format.ts";
import { newIdempotencyKey } from "../../app/idempotency-key.ts";
import { named, t } from "../../app/language.ts";
import { useLoaded } from "../../app/load.ts";
import { goTo, placeLink } from "../../app/place.ts";
import { Field } from "../../parts/bits.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Shown } from "../../parts/notices.tsx";

/** What an operator wants done, and to which failures. */
export interface Wanted {
  action: "replay" | "discard";
  selection: z.input<typeof ReplaySelection>;
}

interface ReplayDialogProps {
  wanted: Wanted;
  onClose(): void;
  /** After the job was made. */
  onDone(): void;
}

const PREVIEWED_MAX = 50;

/** Says first how many messages and what would become of each; then makes the job and goes to it. */
export function ReplayDialog({ wanted: { action, selection }, onClose, onDone }: ReplayDialogProps) {
  const [idempotency_key] = useState(newIdempotencyKey);
  const preview = useLoaded(JSON.stringify([action, selection]), (signal) =>
    ask<ReplayPreview>("/api/dlq/replays", {
      method: "POST",
      body: { action, selection, dry_run: true },
      signal,
    }),
  );
  const start = async (form: FormData) => {
    const body: z.input<typeof ReplayRequest> = { action, selection, ...optionsOf(form) };
    const headers = { "idempotency-key": idempotency_key };
    const { replay_id } = await ask<ReplayView>("/api/dlq/replays", { method: "POST", body, headers });
    onDone();
    goTo(placeLink(["replays", replay_id]));
  };
  const { matched } = preview.data ?? {};
  return (
    <Dialog
      title={t(`replay.${action}_title`)}
      action={
        matched === undefined
          ? t("common.loading")
          : t(`replay.${action}_action`, { count: formatCount(matched) })
      }
      is_dangerous={action === "discard"}
      is_ready={matched !== undefined && matched > 0}
      onConfirm={start}
      onClose={onClose}
    >
      <Shown of={preview}>{(shown) => <Preview preview={shown} />}</Shown>
      <Field id="why" label={t("common.reason")} hint={t("replay.why_hint")}>
        <input
          id="why"
          name="why"
          maxLength={500}
          required={action === "discard"}
          aria-describedby="why-hint"
        />
      </Field>
      {action === "replay" && <Options />}
    </Dialog>
  );
}

function optionsOf(form: FormData) {
  const why = String(form.get("why") ?? "").trim();
  const share = Number(form.get("stop_percent") ?? 0) / 100;
  return {
    ...(why && { why }),
    ...(form.has("rate") && {
      rate_per_second: Number(form.get("rate")),
      concurrency: Number(form.get("concurrency")),
      stop_on_failure_share: share > 0 ? share : null,
      stop_on_open_circuit: form.get("stop_circuit") !== null,
    }),
  };
}

function Preview({ preview }: { preview: ReplayPreview }) {
  const { matched, truncated, needs_approval, by_expectation, messages } = preview;
  return (
    <>
      <p>
        <strong>{t("replay.matched", { count: formatCount(matched) })}</strong>{" "}
        {truncated && t("replay.truncated")}
      </p>
      <ul class="expectations">
        {Object.entries(by_expectation)
          .filter(([, count]) => count > 0)
          .map(([expectation, count]) => (
            <li key={expectation}>
              <strong class="number">{formatCount(count)}</strong> {named("expectation", expectation)}
            </li>
          ))}
      </ul>
      {needs_approval && <p class="notice warn">{t("replay.needs_approval")}</p>}
      {messages.length > 0 && (
        <details>
          <summary>{t("replay.each")}</summary>
          <ul class="rows">
            {messages.slice(0, PREVIEWED_MAX).map(({ failure, code, expectation, says }) => (
              <li key={failure}>
                <code>{code}</code> {named("expectation", expectation)} <span class="quiet">{says}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Options() {
  return (
    <details>
      <summary>{t("replay.options")}</summary>
      <Field id="rate" label={t("replay.rate")}>
        <input
          id="rate"
          name="rate"
          type="number"
          min={0.1}
          max={100}
          step={0.1}
          defaultValue="10"
          required
        />
      </Field>
      <Field id="concurrency" label={t("replay.concurrency")}>
        <input id="concurrency" name="concurrency" type="number" min={1} max={20} defaultValue="5" required />
      </Field>
      <Field id="stop_percent" label={t("replay.stop_percent")} hint={t("replay.stop_percent_hint")}>
        <input
          id="stop_percent"
          name="stop_percent"
          type="number"
          min={0}
          max={100}
          defaultValue="50"
          aria-describedby="stop_percent-hint"
        />
      </Field>
      <label class="choice">
        <input type="checkbox" name="stop_circuit" defaultChecked /> {t("replay.stop_circuit")}
      </label>
    </details>
  );
}
