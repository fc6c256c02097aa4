import { useState } from "preact/hooks";
import type { CircuitCommand, Circuits as CircuitsAnswer, CircuitView } from "#schemas/http/circuits.ts";
import { ask } from "../app/api.ts";
import { formatCount, formatShare } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import { type Loaded, useLoaded } from "../app/load.ts";
import { goTo, type Place, placeLink } from "../app/place.ts";
import { may } from "../app/session.ts";
import { Age, Facts, Field, PageHead, State } from "../parts/bits.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Empty, Shown } from "../parts/notices.tsx";

const REFRESH_MS = 5000;
const ACTIONS = ["reset", "force_open", "force_closed"] as const;

/** Every circuit, those in trouble first; operators command them. */
export function Circuits({ place }: { place: Place }) {
  const loaded = useLoaded("circuits", (signal) => ask<CircuitsAnswer>("/api/circuits", { signal }), {
    every_ms: REFRESH_MS,
  });
  return (
    <>
      <PageHead title={t("nav.circuits")} about={t("circuits.about")} />
      <Shown of={loaded}>{(answer) => <List answer={answer} place={place} loaded={loaded} />}</Shown>
    </>
  );
}

/** A circuit as it works now: a force takes precedence over the state. */
export function effectiveState({ state, forced }: CircuitView): CircuitView["state"] {
  return forced?.state ?? state;
}

const ORDER: Readonly<Record<CircuitView["state"], number>> = { open: 0, half_open: 1, closed: 2 };

interface ListProps {
  answer: CircuitsAnswer;
  place: Place;
  loaded: Loaded<CircuitsAnswer>;
}

function List({ answer, place: { query }, loaded }: ListProps) {
  const { text = "", state = "" } = query;
  const filter = (changed: Record<string, string>) =>
    goTo(placeLink(["circuits"], { text, state, ...changed }), { replace: true });
  const circuits = answer.circuits
    .filter((each) => each.key.toLowerCase().includes(text.toLowerCase()))
    .filter((each) => state === "" || effectiveState(each) === state)
    .toSorted((left, right) => ORDER[effectiveState(left)] - ORDER[effectiveState(right)]);
  if (answer.circuits.length === 0) return <Empty>{t("circuits.none")}</Empty>;
  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field id="state" label={t("circuits.state")}>
          <select id="state" value={state} onChange={(event) => filter({ state: event.currentTarget.value })}>
            <option value="">{t("common.all")}</option>
            {Object.keys(ORDER).map((each) => (
              <option value={each} key={each}>
                {named("state", each)}
              </option>
            ))}
          </select>
        </Field>
        <Field id="text" label={t("circuits.key")}>
          <input
            id="text"
            type="search"
            value={text}
            onInput={(event) => filter({ text: event.currentTarget.value })}
          />
        </Field>
      </form>
      {circuits.length === 0 && <Empty>{t("common.none_match")}</Empty>}
      <ul class="cards">
        {circuits.map((circuit) => (
          <Circuit circuit={circuit} key={circuit.key} onChange={loaded.reload} />
        ))}
      </ul>
    </>
  );
}

function Circuit({ circuit, onChange }: { circuit: CircuitView; onChange: () => void }) {
  const { key, state, forced, since, window: counts, next_probe_at, admitted_share, opens, trail } = circuit;
  const [asked, setAsked] = useState<CircuitCommand["action"]>();
  return (
    <li class="card">
      <h2 class="path">{key}</h2>
      <p>
        <State state={effectiveState(circuit)} />{" "}
        {forced && (
          <span class="quiet">{t("circuits.forced", { by: forced.by, state: named("state", state) })}</span>
        )}
      </p>
      <Facts
        facts={[
          [t("circuits.since"), since && <Age key="since" at={since} />],
          [
            t("circuits.calls"),
            t("circuits.calls_of", {
              calls: formatCount(counts.calls),
              failures: formatCount(counts.failures),
              slow: formatCount(counts.slow),
              seconds: counts.seconds,
            }),
          ],
          [t("circuits.admitted"), admitted_share < 1 ? formatShare(admitted_share) : undefined],
          [t("circuits.opens"), opens > 0 ? opens : undefined],
          [t("circuits.next_probe"), next_probe_at && <Age key="probe" at={next_probe_at} />],
          [t("circuits.why"), forced?.why],
          [t("circuits.until"), forced?.until && <Age key="until" at={forced.until} />],
        ]}
      />
      {trail.length > 0 && (
        <details>
          <summary>{t("circuits.trail")}</summary>
          <ol class="trail" reversed>
            {trail.toReversed().map((step) => (
              <li key={`${step.at}${step.generation}`}>
                <strong>{named("circuit_event", step.event)}</strong> <Age at={step.at} />{" "}
                <code>{step.code}</code> <span class="quiet">{step.why}</span>
              </li>
            ))}
          </ol>
        </details>
      )}
      {may("operate") && (
        <div class="buttons">
          {ACTIONS.map((action) => (
            <button type="button" class="small" key={action} onClick={() => setAsked(action)}>
              {t(`circuits.${action}`)}
            </button>
          ))}
        </div>
      )}
      {asked && (
        <Command circuit={circuit} action={asked} onClose={() => setAsked(undefined)} onDone={onChange} />
      )}
    </li>
  );
}

interface CommandProps {
  circuit: CircuitView;
  action: CircuitCommand["action"];
  onClose(): void;
  onDone(): void;
}

function Command({ circuit: { key }, action, onClose, onDone }: CommandProps) {
  const send = async (form: FormData) => {
    const minutes = Number(form.get("minutes") ?? 0);
    const body: CircuitCommand = {
      action,
      why: String(form.get("why")),
      ...(action !== "reset" && minutes > 0 && { for_seconds: Math.round(minutes * 60) }),
    };
    await ask(`/api/circuits/${encodeURIComponent(key)}`, { method: "POST", body });
    onDone();
  };
  return (
    <Dialog
      title={`${t(`circuits.${action}`)}: ${key}`}
      action={t(`circuits.${action}`)}
      is_dangerous={action !== "reset"}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{t(`circuits.${action}_about`)}</p>
      <Field id="why" label={t("common.reason")} hint={t("circuits.reason_hint")}>
        <input id="why" name="why" required maxLength={300} aria-describedby="why-hint" />
      </Field>
      {action !== "reset" && (
        <Field id="minutes" label={t("circuits.minutes")} hint={t("circuits.minutes_hint")}>
          <input
            id="minutes"
            name="minutes"
            type="number"
            min={1}
            max={10_080}
            aria-describedby="minutes-hint"
          />
        </Field>
      )}
    </Dialog>
  );
}
