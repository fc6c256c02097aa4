import { useState } from "preact/hooks";
import type { FailureDetail } from "#schemas/http/dead-letters.ts";
import { ask } from "../app/api.ts";
import { formatInstant } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import { useLoaded } from "../app/load.ts";
import { type Place, placeLink } from "../app/place.ts";
import { may } from "../app/session.ts";
import { Age, Copied, Facts, PageHead, State } from "../parts/bits.tsx";
import { Lines, numberedLines } from "../parts/lines.tsx";
import { Shown } from "../parts/notices.tsx";
import { readable } from "../parts/readable.ts";
import { EditDialog } from "./failures/edit-dialog.tsx";
import { ReplayDialog, type Wanted } from "./replays/replay-dialog.tsx";
import { DiffText } from "./task/diff.tsx";

/** One failure: what the message was, why it failed, how it stands now, and what a replay would do. */
export function Failure({ place }: { place: Place }) {
  const [, failure = ""] = place.path;
  const loaded = useLoaded(failure, (signal) =>
    ask<FailureDetail>(`/api/dlq/failures/${encodeURIComponent(failure)}`, { signal }),
  );
  return (
    <>
      <p class="crumbs">
        <a href={placeLink(["failures"])}>{t("nav.failures")}</a>
      </p>
      <Shown of={loaded}>{(detail) => <FailureShown detail={detail} onChange={loaded.reload} />}</Shown>
    </>
  );
}

function FailureShown({ detail, onChange }: { detail: FailureDetail; onChange: () => void }) {
  return (
    <>
      <PageHead title={detail.code}>
        <Act detail={detail} onChange={onChange} />
      </PageHead>
      <p class="headline">
        <State state={detail.state} tone={detail.state === "open" ? "bad" : undefined} />
        <span>
          {detail.queue} · {detail.tenant}
        </span>
      </p>
      <div class="notice bad">
        <p class="message">{readable(detail.message)}</p>
      </div>
      <Causes chain={detail.cause_chain} />
      <div class={`notice ${detail.replay.expectation === "run" ? "good" : "warn"}`}>
        <p>
          <strong>
            {t("failure.replay_would", { what: named("expectation", detail.replay.expectation) })}
          </strong>{" "}
          {detail.replay.says} <code>{detail.replay.reason}</code>
        </p>
      </div>
      <Where detail={detail} />
      <Edited detail={detail} />
      <Timeline detail={detail} />
      <ThenAndNow detail={detail} />
      <Message detail={detail} />
    </>
  );
}

function Act({ detail, onChange }: { detail: FailureDetail; onChange: () => void }) {
  const [wanted, setWanted] = useState<Wanted>();
  const [is_editing, setEditing] = useState(false);
  const is_waiting = detail.state === "open" || detail.state === "permanently_failed";
  if (!may("operate") || !is_waiting) return null;
  const selection = { failures: [detail.failure] };
  return (
    <>
      <button type="button" class="primary" onClick={() => setWanted({ action: "replay", selection })}>
        {t("failures.replay")}
      </button>
      {detail.envelope && (
        <button type="button" onClick={() => setEditing(true)}>
          {t("failure.edit")}
        </button>
      )}
      {may("admin") && (
        <button type="button" class="danger" onClick={() => setWanted({ action: "discard", selection })}>
          {t("failure.discard")}
        </button>
      )}
      {wanted && <ReplayDialog wanted={wanted} onClose={() => setWanted(undefined)} onDone={onChange} />}
      {is_editing && <EditDialog detail={detail} onClose={() => setEditing(false)} onDone={onChange} />}
    </>
  );
}

function Causes({ chain }: { chain: readonly string[] }) {
  if (chain.length === 0) return null;
  return (
    <section>
      <h2>{t("failure.causes")}</h2>
      <ol>
        {chain.map((cause, place) => (
          // A chain may say the same twice
          <li key={place} class="message">
            {readable(cause)}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Where({ detail }: { detail: FailureDetail }) {
  const { task_id, trace_id, step, round, fingerprint, edited_from, artifacts } = detail;
  const id = (text: string, label: string) => <Copied text={text} label={label} />;
  return (
    <>
      <Facts
        facts={[
          [
            t("tasks.task"),
            task_id && (
              <a key="task" class="path" href={placeLink(["tasks", task_id])}>
                {task_id}
              </a>
            ),
          ],
          [t("failure.step"), step && `${step}${round ? ` (${t("task.round", { round })})` : ""}`],
          [t("failure.task_status"), detail.task_status && <State state={detail.task_status} />],
          [t("failure.step_status"), detail.step_status && <State state={detail.step_status} />],
          [t("failure.attempts"), detail.attempts],
          [t("failure.replays"), detail.replays],
          [t("failures.first"), <Age key="first" at={detail.first_at} />],
          [t("failures.last"), <Age key="last" at={detail.last_at} />],
          [
            t("common.trace"),
            trace_id &&
              (task_id ? (
                <a key="trace" class="path" href={placeLink(["tasks", task_id, "trace"])}>
                  {trace_id}
                </a>
              ) : (
                id(trace_id, t("common.trace"))
              )),
          ],
          [
            t("failures.fingerprint"),
            <a key="kind" href={placeLink(["failures"], { fingerprint })}>
              <code>{fingerprint.slice(0, 12)}</code>
            </a>,
          ],
          [t("failure.message_id"), id(detail.message_id, t("failure.message_id"))],
          [t("failure.replay_of"), detail.replay_of && <code>{detail.replay_of}</code>],
          [
            t("failure.edited_from"),
            edited_from && <a href={placeLink(["failures", edited_from])}>{edited_from}</a>,
          ],
          [t("failure.replayed_as"), detail.replayed_as && <code>{detail.replayed_as}</code>],
          [
            t("failure.settled_by"),
            detail.settled_by && (
              <a key="job" class="path" href={placeLink(["replays", detail.settled_by])}>
                {detail.settled_by}
              </a>
            ),
          ],
          [t("failure.discarded"), detail.discarded_because],
          [t("failure.function"), detail.function_name],
          [t("failure.request"), detail.request_id],
        ]}
      />
      {artifacts.length > 0 && task_id && (
        <p>
          {t("task.artifacts")}:{" "}
          {artifacts.map(({ path }) => (
            <>
              <a key={path} href={placeLink(["tasks", task_id, "artifacts"], { file: path })}>
                {path}
              </a>{" "}
            </>
          ))}
        </p>
      )}
    </>
  );
}

/** What an operator changed in the message, or in the one that it was made of. */
function Edited({ detail: { edit, failure } }: { detail: FailureDetail }) {
  if (edit === null) return null;
  const about = edit.failure === failure ? "failure.edited_this" : "failure.edited_before";
  return (
    <section>
      <h2>{t("failure.edited")}</h2>
      <p>{t(about, { failure: edit.failure })}</p>
      <p class="quiet">
        {[formatInstant(edit.at), edit.by, edit.why && readable(edit.why)].filter(Boolean).join(" · ")}
      </p>
      <DiffText text={edit.diff} />
    </section>
  );
}

function Timeline({ detail: { attempts_timeline } }: { detail: FailureDetail }) {
  if (attempts_timeline.length === 0) return null;
  return (
    <section>
      <h2>{t("failure.timeline")}</h2>
      <ol class="rows">
        {attempts_timeline.map(({ kind, at, says }) => (
          <li key={`${at}${kind}${says}`}>
            <span class="number quiet">{formatInstant(at)}</span> <strong>{named("timeline", kind)}</strong>{" "}
            <span class="message">{readable(says)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function ThenAndNow({ detail: { circuits, policy } }: { detail: FailureDetail }) {
  return (
    <section>
      <h2>{t("failure.then_now")}</h2>
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">{t("failure.thing")}</th>
            <th scope="col">{t("failure.then")}</th>
            <th scope="col">{t("failure.now")}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{t("failure.retry_policy")}</th>
            <td>
              <code>{policy.at_failure.slice(0, 12)}</code>
            </td>
            <td>
              <code>{policy.now.slice(0, 12)}</code> {policy.changed && t("failure.changed")}
            </td>
          </tr>
          {circuits.map(({ key, at_failure, now }) => (
            <tr key={key}>
              <th scope="row" class="path">
                <a href={placeLink(["circuits"], { text: key })}>{key}</a>
              </th>
              <td>{at_failure ? <State state={at_failure} /> : t("failure.unknown")}</td>
              <td>
                <State state={now} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Message({ detail: { envelope, body } }: { detail: FailureDetail }) {
  const text = envelope ? JSON.stringify(envelope, undefined, 2) : (body ?? "");
  return (
    <section>
      <h2>{t("failure.message")}</h2>
      <p class="quiet">{t(envelope ? "failure.redacted" : "failure.no_envelope")}</p>
      <Lines label={t("failure.message")} lines={numberedLines(text)} />
    </section>
  );
}
