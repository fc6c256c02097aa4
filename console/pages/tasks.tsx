import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { TaskList, TaskView } from "#schemas/http/task-view.ts";
import { ask } from "../app/api.ts";
import { followTask } from "../app/follow-task.ts";
import { formatCount, formatDuration } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import { type Paged, useEvery, usePaged } from "../app/load.ts";
import { goTo, type Place, placeLink } from "../app/place.ts";
import { may } from "../app/session.ts";
import { Age, PageHead, State } from "../parts/bits.tsx";
import { Empty, Loading, ProblemNotice, Stale } from "../parts/notices.tsx";
import { VirtualTable } from "../parts/virtual-list.tsx";

type Row = TaskList["tasks"][number];

const STATUSES = ["accepted", "running", "succeeded", "failed", "canceled"] as const;
const PAGE_ROWS = 100;
const REFRESH_MS = 5000;
/** Open tasks that are each followed by a long poll: a browser opens six connections to a host. */
const FOLLOWED_MAX = 3;
const ROW_PX = 56;

/** A tenant's tasks, newest first. What filters them is in the address. */
export function Tasks({ place: { query } }: { place: Place }) {
  const { status = "", since = "", text = "" } = query;
  const since_instant = sinceInstant(since);
  const load = async (cursor: string | undefined, signal: AbortSignal | undefined) => {
    const asked = { status, since: since_instant, cursor, limit: PAGE_ROWS };
    const { tasks, next_cursor } = await ask<TaskList>("/api/tasks", { query: asked, signal });
    return { rows: tasks, next_cursor };
  };
  const list = usePaged<Row>(`${status}|${since}`, load, ({ task_id }) => task_id);
  const steps = useProgress(list);
  useEvery(REFRESH_MS, () => {
    if (list.rows.length > 0 || list.loaded_at !== undefined) {
      load(undefined, undefined)
        .then(({ rows }) => list.merge(rows))
        .catch(() => list.problem ?? list.reload());
    }
  });
  const shown = useMemo(() => list.rows.filter(matching(text, status)), [list.rows, text, status]);
  return (
    <>
      <PageHead title={t("nav.tasks")} about={t("tasks.about")}>
        {may("submit") && (
          <a class="button primary" href={placeLink(["submit"])}>
            {t("nav.submit")}
          </a>
        )}
      </PageHead>
      <Filters status={status} since={since} text={text} />
      <Count list={list} shown={shown.length} />
      {list.problem && list.rows.length > 0 && (
        <Stale problem={list.problem} loaded_at={list.loaded_at} onRetry={list.reload} />
      )}
      {shown.length > 0 ? (
        <VirtualTable
          class="tasks"
          label={t("nav.tasks")}
          columns={[
            t("tasks.status"),
            t("tasks.task"),
            t("tasks.result"),
            t("tasks.accepted"),
            t("tasks.took"),
          ]}
          rows={shown}
          keyOf={({ task_id }) => task_id}
          linkOf={({ task_id }) => placeLink(["tasks", task_id])}
          row_px={ROW_PX}
          has_more={list.has_more}
          onNearEnd={list.loadMore}
          cells={(row) => cells(row, steps.get(row.task_id))}
        />
      ) : (
        <Nothing list={list} is_filtered={Boolean(status || since || text)} />
      )}
    </>
  );
}

/** Whether a loaded row is one that is looked for: the API filters by status and time, this by text. */
function matching(text: string, status: string): (row: Row) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    const said = [
      row.task_id,
      row.repository,
      row.workflow,
      row.trace_id,
      row.error?.code,
      row.error?.message,
    ]
      .join(" ")
      .toLowerCase();
    return words.every((word) => said.includes(word)) && (status === "" || row.status === status);
  };
}

const SPANS: Readonly<Record<string, number>> = { hour: 1, day: 24, week: 168 };

/** The instant that many hours ago, to the minute, so that the same filter is the same request for a while. */
function sinceInstant(since: string): string | undefined {
  const hours = SPANS[since];
  if (hours === undefined) return undefined;
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  return new Date(minute - hours * 3_600_000).toISOString();
}

function Filters({ status, since, text }: { status: string; since: string; text: string }) {
  const filter = (changed: Record<string, string>) =>
    goTo(placeLink(["tasks"], { status, since, text, ...changed }), { replace: true });
  const open = (event: SubmitEvent) => {
    event.preventDefault();
    const task_id = text.trim();
    if (/^task_[0-9a-hjkmnp-tv-z]{26}$/.test(task_id)) goTo(placeLink(["tasks", task_id]));
  };
  return (
    <form class="filters" role="search" onSubmit={open}>
      <div class="field">
        <label for="status">{t("tasks.status")}</label>
        <select
          id="status"
          value={status}
          onChange={(event) => filter({ status: event.currentTarget.value })}
        >
          <option value="">{t("tasks.any_status")}</option>
          {STATUSES.map((each) => (
            <option value={each} key={each}>
              {named("state", each)}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="since">{t("tasks.since")}</label>
        <select id="since" value={since} onChange={(event) => filter({ since: event.currentTarget.value })}>
          <option value="">{t("tasks.any_time")}</option>
          {Object.keys(SPANS).map((each) => (
            <option value={each} key={each}>
              {named("span", each)}
            </option>
          ))}
        </select>
      </div>
      <div class="field grow">
        <label for="text">{t("tasks.text")}</label>
        <input
          id="text"
          type="search"
          spellcheck={false}
          placeholder={t("tasks.text_hint")}
          value={text}
          onInput={(event) => filter({ text: event.currentTarget.value })}
        />
      </div>
    </form>
  );
}

function Count({ list, shown }: { list: Paged<Row>; shown: number }) {
  const values = { shown: formatCount(shown), loaded: formatCount(list.rows.length) };
  const key = list.has_more
    ? "tasks.count_more"
    : shown === list.rows.length
      ? "tasks.count"
      : "tasks.count_of";
  return (
    <p class="quiet count" role="status">
      {t(key, values)}{" "}
      {list.has_more && (
        <button type="button" class="plain small" disabled={list.is_loading} onClick={list.loadMore}>
          {list.is_loading ? t("common.loading") : t("common.load_more")}
        </button>
      )}
    </p>
  );
}

function Nothing({ list, is_filtered }: { list: Paged<Row>; is_filtered: boolean }) {
  if (list.problem) return <ProblemNotice problem={list.problem} onRetry={list.reload} />;
  if (list.is_loading) return <Loading />;
  return (
    <Empty>
      <p>{t(is_filtered ? "tasks.none_match" : "tasks.none")}</p>
      {is_filtered && (
        <p>
          <a href={placeLink(["tasks"])}>{t("tasks.clear")}</a>
        </p>
      )}
    </Empty>
  );
}

function cells(row: Row, step: string | undefined) {
  const { task_id, status, repository, workflow, error, created_at, ended_at } = row;
  const took_ms = ended_at ? Date.parse(ended_at) - Date.parse(created_at) : undefined;
  return [
    <State key="state" state={status} />,
    <span class="stack" key="task">
      <a href={placeLink(["tasks", task_id])} tabIndex={-1}>
        {repository} · {workflow}
      </a>
      <code class="quiet">{task_id}</code>
    </span>,
    <span class="stack clip" key="result">
      {error ? (
        <>
          <code>{error.code}</code>
          <span class="quiet">{error.message}</span>
        </>
      ) : (
        <span class="quiet">{step ?? ""}</span>
      )}
    </span>,
    <Age key="age" at={created_at} />,
    <span class="number" key="took">
      {took_ms === undefined ? "" : formatDuration(took_ms)}
    </span>,
  ];
}

/**
 * Follows the newest open tasks by long poll, and says of each which step it is in. A task that changed is put into
 * the list at once.
 */
function useProgress(list: Paged<Row>): ReadonlyMap<string, string> {
  const [steps, setSteps] = useState<ReadonlyMap<string, string>>(new Map());
  const merge = useRef(list.merge);
  merge.current = list.merge;
  const open = list.rows
    .filter(({ ended_at }) => !ended_at)
    .slice(0, FOLLOWED_MAX)
    .map(({ task_id }) => task_id);
  const key = open.join();
  useEffect(() => {
    const stop = new AbortController();
    for (const task_id of key.split(",").filter(Boolean)) {
      void followTask(task_id, stop.signal, (view) => {
        setSteps((last) => new Map(last).set(task_id, stepOf(view)));
        merge.current([view]);
      });
    }
    return () => stop.abort();
  }, [key]);
  return steps;
}

function stepOf({ steps }: TaskView): string {
  const step = steps.findLast(({ ended_at }) => !ended_at) ?? steps.at(-1);
  return step ? t("tasks.in_step", { step: step.step, state: named("state", step.status) }) : "";
}
