import { useState } from "preact/hooks";
import type { ReplayResultList, ReplayResultView, ReplayView } from "#schemas/http/replays.ts";
import { ask } from "../app/api.ts";
import { formatCount, formatInstant } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import { useEvery, useLoaded, usePaged } from "../app/load.ts";
import { goTo, type Place, placeLink } from "../app/place.ts";
import { currentSession, may } from "../app/session.ts";
import { Age, Facts, Field, PageHead, State } from "../parts/bits.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Empty, Loading, ProblemNotice, Shown } from "../parts/notices.tsx";
import { Progress } from "./replays/progress.tsx";

const REFRESH_MS = 2000;
const PAGE_ROWS = 100;
const OUTCOMES = [
  "pending",
  "sent",
  "succeeded",
  "failed_again",
  "removed",
  "kept",
  "permanently_failed",
  "discarded",
  "not_found",
] as const;

/** One job: how far it is, what became of each message, and what an operator may do with it. */
export function Replay({ place }: { place: Place }) {
  const [, replay_id = ""] = place.path;
  const [is_over, setOver] = useState(false);
  const path = `/api/dlq/replays/${encodeURIComponent(replay_id)}`;
  const loaded = useLoaded(
    replay_id,
    async (signal) => {
      const replay = await ask<ReplayView>(path, { signal });
      setOver(replay.ended_at !== null);
      return replay;
    },
    is_over ? {} : { every_ms: REFRESH_MS },
  );
  return (
    <>
      <p class="crumbs">
        <a href={placeLink(["replays"])}>{t("nav.replays")}</a>
      </p>
      <Shown of={loaded}>
        {(replay) => (
          <>
            <PageHead
              title={t(`replay.${replay.action}_name`, {
                count: formatCount(replay.counts.total || (replay.matched ?? 0)),
              })}
            >
              <Act replay={replay} path={path} onChange={loaded.show} />
            </PageHead>
            <About replay={replay} />
            <Results path={path} place={place} is_over={is_over} />
          </>
        )}
      </Shown>
    </>
  );
}

type Command = "pause" | "resume" | "abort" | "approve";

/** What may be done with a job in a state. The API has the last word. */
const COMMANDS: Readonly<Record<ReplayView["state"], readonly Command[]>> = {
  awaiting_approval: ["approve", "abort"],
  running: ["pause", "abort"],
  paused: ["resume", "abort"],
  completed: [],
  aborted: [],
  failed: [],
};

interface ActProps {
  replay: ReplayView;
  path: string;
  onChange(replay: ReplayView): void;
}

function Act({ replay, path, onChange }: ActProps) {
  const [asked, setAsked] = useState<Command>();
  const { subject } = currentSession()?.identity ?? {};
  const allowed = COMMANDS[replay.state].filter((command) =>
    command === "approve" ? may("admin") && subject !== replay.created_by : may("operate"),
  );
  return (
    <>
      {allowed.map((command) => (
        <button
          type="button"
          key={command}
          class={command === "abort" ? "danger" : command === "pause" ? "" : "primary"}
          onClick={() => setAsked(command)}
        >
          {t(`replay.${command}`)}
        </button>
      ))}
      {asked && (
        <Dialog
          title={t(`replay.${asked}_ask`)}
          action={t(`replay.${asked}`)}
          is_dangerous={asked === "abort"}
          onConfirm={async () => onChange(await ask<ReplayView>(`${path}/${asked}`, { method: "POST" }))}
          onClose={() => setAsked(undefined)}
        >
          <p>{t(`replay.${asked}_about`)}</p>
        </Dialog>
      )}
    </>
  );
}

function About({ replay }: { replay: ReplayView }) {
  const { state, because, says, counts, why, created_at, created_by, approved_by, ended_at } = replay;
  return (
    <section aria-label={t("task.summary")}>
      <p class="headline" role="status">
        <State state={state} />
        {because && <code>{because}</code>}
        {says && <span>{says}</span>}
      </p>
      <Progress counts={counts} />
      {state === "awaiting_approval" && <p class="notice warn">{t("replay.approval_about")}</p>}
      <Facts
        facts={[
          [t("common.reason"), why],
          [t("replay.selection"), selectionText(replay)],
          [t("replay.patch"), replay.patch && <code key="patch">{JSON.stringify(replay.patch)}</code>],
          [t("replay.matched_then"), replay.matched === null ? null : formatCount(replay.matched)],
          [t("replay.approve_before"), replay.approve_before && formatInstant(replay.approve_before)],
          [t("replay.rate"), replay.rate_per_second],
          [t("replay.concurrency"), replay.concurrency],
          [
            t("replay.stop_percent"),
            replay.stop_on_failure_share === null
              ? undefined
              : `${Math.round(replay.stop_on_failure_share * 100)} %`,
          ],
          [t("replay.made"), <Age key="made" at={created_at} />],
          [t("replay.by"), created_by],
          [t("replay.approved_by"), approved_by],
          [t("replay.ended"), ended_at && <Age key="ended" at={ended_at} />],
        ]}
      />
    </section>
  );
}

function selectionText({ selection: { failures, filter } }: ReplayView): string {
  if (failures) return t("replay.named", { count: formatCount(failures.length) });
  if (!filter) return t("replay.all");
  return Object.entries(filter)
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
}

function Results({
  path,
  place: { path: parts, query },
  is_over,
}: {
  path: string;
  place: Place;
  is_over: boolean;
}) {
  const { outcome = "" } = query;
  const list = usePaged<ReplayResultView>(
    `${path}${outcome}`,
    async (cursor, signal) => {
      const asked = { outcome, cursor, limit: PAGE_ROWS };
      const page = await ask<ReplayResultList>(`${path}/results`, { query: asked, signal });
      return { rows: page.results, next_cursor: page.next_cursor };
    },
    ({ failure }) => failure,
  );
  useEvery(is_over ? undefined : REFRESH_MS * 2, list.reload);
  return (
    <section>
      <h2>{t("replay.results")}</h2>
      <div class="filters">
        <Field id="outcome" label={t("audit.outcome")}>
          <select
            id="outcome"
            value={outcome}
            onChange={(event) =>
              goTo(placeLink(parts, { outcome: event.currentTarget.value }), { replace: true })
            }
          >
            <option value="">{t("common.all")}</option>
            {OUTCOMES.map((each) => (
              <option value={each} key={each}>
                {named("replay_outcome", each)}
              </option>
            ))}
          </select>
        </Field>
      </div>
      {list.problem && <ProblemNotice problem={list.problem} onRetry={list.reload} />}
      {list.is_loading && list.rows.length === 0 && <Loading />}
      {!list.is_loading && !list.problem && list.rows.length === 0 && <Empty>{t("replay.no_results")}</Empty>}
      {list.rows.length > 0 && <ResultTable results={list.rows} />}
      {list.has_more && (
        <button type="button" onClick={list.loadMore} disabled={list.is_loading}>
          {t("common.load_more")}
        </button>
      )}
    </section>
  );
}

function ResultTable({ results }: { results: readonly ReplayResultView[] }) {
  return (
    <div class="scroll-x">
      <table class="plain-table stacked">
        <thead>
          <tr>
            {(["failure", "queue", "outcome", "says", "task"] as const).map((name) => (
              <th scope="col" key={name}>
                {t(`replay.result_${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {results.map(({ failure, queue, outcome, reason, says, task_id }) => (
            <tr key={failure}>
              <td class="path">
                <a href={placeLink(["failures", failure])}>
                  <code>{failure}</code>
                </a>
              </td>
              <td>{queue}</td>
              <td>{named("replay_outcome", outcome)}</td>
              <td class="path">
                {reason && <code>{reason}</code>} <span class="quiet">{says}</span>
              </td>
              <td class="path">
                {task_id && (
                  <a href={placeLink(["tasks", task_id])}>
                    <code>{task_id}</code>
                  </a>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
