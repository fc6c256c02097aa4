import { useState } from "preact/hooks";
import type { AlertList, AlertView, SilenceRequest, SilenceView } from "#schemas/http/alerts.ts";
import { ask } from "../app/api.ts";
import { formatCount } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import { useLoaded } from "../app/load.ts";
import { type Place, placeLink } from "../app/place.ts";
import { Age, Facts, Field, PageHead, State } from "../parts/bits.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Empty, Shown } from "../parts/notices.tsx";
import { hasRunbook } from "./runbook.tsx";

const REFRESH_MS = 10_000;
const HOUR_MINUTES = 60;
/** As the API takes it: 30 days. */
const MINUTES_MAX = 43_200;

/** What fires, what is silenced and where it is told, for operators of the platform. */
export function Alerts(_: { place: Place }) {
  const loaded = useLoaded("alerts", (signal) => ask<AlertList>("/api/alerts", { signal }), {
    every_ms: REFRESH_MS,
  });
  const [asked, setAsked] = useState<Silenced>();
  return (
    <>
      <PageHead title={t("nav.alerts")} about={t("alerts.about")}>
        {loaded.data && (
          <button type="button" onClick={() => setAsked({ rule: "*", labels: {} })}>
            {t("alerts.silence_all")}
          </button>
        )}
      </PageHead>
      <Shown of={loaded}>{(answer) => <AlertsShown answer={answer} onSilence={setAsked} />}</Shown>
      {asked && <SilenceDialog of={asked} onClose={() => setAsked(undefined)} onDone={loaded.reload} />}
    </>
  );
}

/** What a silence is for: a rule or `*`, and labels of the alerts it holds for. */
type Silenced = Pick<AlertView, "rule" | "labels">;

const ORDER: Readonly<Record<AlertView["state"], number>> = { firing: 0, pending: 1, resolved: 2 };

function AlertsShown({ answer, onSilence }: { answer: AlertList; onSilence: (of: Silenced) => void }) {
  const { alerts, silences, sinks, rules, evaluated_at } = answer;
  const sorted = alerts.toSorted((left, right) => ORDER[left.state] - ORDER[right.state]);
  return (
    <>
      <p class="quiet">
        {t("alerts.count", { alerts: alerts.length, rules: rules.length })} {t("alerts.evaluated")}{" "}
        {evaluated_at === null ? t("alerts.never") : <Age at={evaluated_at} />}
      </p>
      {sinks.length === 0 && (
        <p class="notice warn" role="status">
          {t("alerts.no_sinks")}
        </p>
      )}
      {alerts.length === 0 ? (
        <Empty>{t("alerts.none")}</Empty>
      ) : (
        <ul class="cards">
          {sorted.map((alert) => (
            <Alert alert={alert} key={alert.alert_id} onSilence={onSilence} />
          ))}
        </ul>
      )}
      <h2>{t("alerts.silences")}</h2>
      {silences.length === 0 ? (
        <p class="quiet">{t("alerts.no_silences")}</p>
      ) : (
        <ul class="cards">
          {silences.map((silence) => (
            <Silence silence={silence} key={silence.silence_id} />
          ))}
        </ul>
      )}
    </>
  );
}

const labelsOf = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");

function Alert({ alert, onSilence }: { alert: AlertView; onSilence: (of: Silenced) => void }) {
  const { rule, labels, state, since, severity, summary, value, threshold, silenced, runbook } = alert;
  return (
    <li class="card">
      <h2 class="path">{rule}</h2>
      <p>
        <State state={state} /> {severity && <span class="quiet">{named("severity", severity)}</span>}{" "}
        {silenced && <strong>{t("alerts.silenced")}</strong>}
      </p>
      {summary && <p>{summary}</p>}
      <Facts
        facts={[
          [t("alerts.labels"), labelsOf(labels)],
          [t("circuits.since"), <Age key="since" at={since} />],
          [t("alerts.value"), value === null ? undefined : formatCount(value)],
          [t("alerts.threshold"), threshold === null ? undefined : formatCount(threshold)],
          [t("alerts.runbook"), runbook && <RunbookLink key="runbook" name={runbook} />],
        ]}
      />
      <div class="buttons">
        <button type="button" class="small" onClick={() => onSilence({ rule, labels })}>
          {t("alerts.silence")}
        </button>
      </div>
    </li>
  );
}

/** A runbook that an operator's own rule names may not be in the repository. */
function RunbookLink({ name }: { name: string }) {
  return hasRunbook(name) ? <a href={placeLink(["alerts", name])}>{name}</a> : <code>{name}</code>;
}

function Silence({ silence: { rule, labels, until, why, created_by } }: { silence: SilenceView }) {
  return (
    <li class="card">
      <h3 class="path">{rule === "*" ? t("alerts.every_rule") : rule}</h3>
      <Facts
        facts={[
          [t("alerts.labels"), labelsOf(labels)],
          [t("circuits.until"), <Age key="until" at={until} />],
          [t("common.reason"), why],
          [t("alerts.by"), <code key="by">{created_by}</code>],
        ]}
      />
    </li>
  );
}

interface SilenceDialogProps {
  of: Silenced;
  onClose(): void;
  onDone(): void;
}

function SilenceDialog({ of: { rule, labels }, onClose, onDone }: SilenceDialogProps) {
  const send = async (form: FormData) => {
    const body: SilenceRequest = {
      rule,
      ...(Object.keys(labels).length > 0 && { labels }),
      for_seconds: Math.round(Number(form.get("minutes")) * 60),
      why: String(form.get("why")),
    };
    await ask("/api/alerts/silences", { method: "POST", body });
    onDone();
  };
  const what = rule === "*" ? t("alerts.every_rule") : [rule, labelsOf(labels)].filter(Boolean).join(" ");
  return (
    <Dialog
      title={`${t("alerts.silence")}: ${what}`}
      action={t("alerts.silence")}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{t("alerts.silence_about")}</p>
      <Field id="minutes" label={t("alerts.minutes")}>
        <input
          id="minutes"
          name="minutes"
          type="number"
          required
          min={1}
          max={MINUTES_MAX}
          value={HOUR_MINUTES}
        />
      </Field>
      <Field id="why" label={t("common.reason")}>
        <input id="why" name="why" required maxLength={300} />
      </Field>
    </Dialog>
  );
}
