import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { TaskView } from "#schemas/http/task-view.ts";
import { ask } from "../app/api.ts";
import { followTask } from "../app/follow-task.ts";
import { formatDuration } from "../app/format.ts";
import { t } from "../app/language.ts";
import { useLoaded } from "../app/load.ts";
import { type Place, placeLink } from "../app/place.ts";
import { may } from "../app/session.ts";
import { Age, Copied, Facts, PageHead, State } from "../parts/bits.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Empty, Shown } from "../parts/notices.tsx";
import type { TextKey } from "../texts/catalogue.ts";
import { Artifacts } from "./task/artifacts.tsx";
import { DiffView } from "./task/diff.tsx";
import { Logs } from "./task/logs.tsx";
import { Steps } from "./task/steps.tsx";
import { TestResults } from "./task/test-results.tsx";
import { Trace } from "./task/trace.tsx";

interface ViewDefinition {
  title: TextKey;
  component: ComponentType<{ task: TaskView; place: Place }>;
}

const VIEWS: Readonly<Record<string, ViewDefinition>> = {
  steps: { title: "task.steps", component: Steps },
  diff: { title: "task.diff", component: DiffView },
  tests: { title: "task.tests", component: TestResults },
  logs: { title: "task.logs", component: Logs },
  artifacts: { title: "task.artifacts", component: Artifacts },
  trace: { title: "task.trace", component: Trace },
};

/** One task: what became of it, followed by long poll until it has ended, and its parts. */
export function Task({ place }: { place: Place }) {
  const [, task_id = "", view = "steps"] = place.path;
  const task = useLoaded(task_id, (signal) =>
    ask<TaskView>(`/api/tasks/${encodeURIComponent(task_id)}`, { signal }),
  );
  const { data, show } = task;
  const is_open = data !== undefined && !data.ended_at;
  // Each new view would begin to follow again
  useEffect(() => {
    if (!is_open) return;
    const stop = new AbortController();
    void followTask(task_id, stop.signal, show, data);
    return () => stop.abort();
  }, [task_id, is_open]);
  return (
    <>
      <p class="crumbs">
        <a href={placeLink(["tasks"])}>{t("nav.tasks")}</a>
      </p>
      <Shown of={task}>
        {(shown) => <TaskShown task={shown} place={place} view={view} onChange={show} />}
      </Shown>
    </>
  );
}

interface TaskShownProps {
  task: TaskView;
  place: Place;
  view: string;
  onChange(task: TaskView): void;
}

function TaskShown({ task, place, view, onChange }: TaskShownProps) {
  const { task_id } = task;
  const chosen = Object.hasOwn(VIEWS, view) ? VIEWS[view] : undefined;
  const Component = chosen?.component;
  return (
    <>
      <PageHead title={`${task.repository} · ${task.workflow}`}>
        <Cancel task={task} onChange={onChange} />
      </PageHead>
      <Summary task={task} />
      <nav class="views" aria-label={t("task.views")}>
        {Object.entries(VIEWS).map(([name, { title }]) => (
          <a
            key={name}
            href={placeLink(name === "steps" ? ["tasks", task_id] : ["tasks", task_id, name])}
            aria-current={name === view ? "page" : undefined}
          >
            {t(title)}
          </a>
        ))}
      </nav>
      {Component ? <Component task={task} place={place} /> : <Empty>{t("nav.unknown")}</Empty>}
    </>
  );
}

function Summary({ task }: { task: TaskView }) {
  const { status, verdict, error, created_at, ended_at, notices = [] } = task;
  const took_ms = Date.parse(ended_at ?? new Date().toISOString()) - Date.parse(created_at);
  return (
    <section class="summary" aria-label={t("task.summary")}>
      <p class="headline" role="status">
        <State state={status} />
        {verdict === "error" && <State state={verdict} />}
        <span>
          {ended_at
            ? t("task.took", { time: formatDuration(took_ms) })
            : t("task.running_for", { time: formatDuration(Math.max(0, took_ms)) })}
        </span>
      </p>
      {error && (
        <div class="notice bad">
          <p>
            <strong>
              <code>{error.code}</code>
            </strong>{" "}
            {error.step && <span class="quiet">({error.step})</span>}{" "}
            <span class="message">{error.message}</span>
          </p>
        </div>
      )}
      {notices.map((notice) => (
        <div class="notice" key={notice}>
          <p>{notice}</p>
        </div>
      ))}
      <Facts
        facts={[
          [t("tasks.accepted"), <Age key="at" at={created_at} />],
          [t("task.deadline"), ended_at ? undefined : <Age key="at" at={task.deadline_at} />],
          [t("task.id"), <Copied key="id" text={task.task_id} label={t("task.id")} />],
          [t("common.trace"), <Copied key="trace" text={task.trace_id} label={t("common.trace")} />],
        ]}
      />
    </section>
  );
}

function Cancel({ task, onChange }: { task: TaskView; onChange: (task: TaskView) => void }) {
  const [is_asked, setAsked] = useState(false);
  if (task.ended_at || !may("submit")) return null;
  const cancel = async () =>
    onChange(await ask<TaskView>(`/api/tasks/${task.task_id}/cancel`, { method: "POST" }));
  return (
    <>
      <button type="button" class="danger" onClick={() => setAsked(true)}>
        {t("task.cancel")}
      </button>
      {is_asked && (
        <Dialog
          title={t("task.cancel_title")}
          action={t("task.cancel")}
          is_dangerous
          onConfirm={cancel}
          onClose={() => setAsked(false)}
        >
          <p>{t("task.cancel_about")}</p>
        </Dialog>
      )}
    </>
  );
}
