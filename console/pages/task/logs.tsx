import type { TaskView } from "#schemas/http/task-view.ts";
import { formatBytes } from "../../app/format.ts";
import { t } from "../../app/language.ts";
import { type Place, placeLink } from "../../app/place.ts";
import { Empty } from "../../parts/notices.tsx";
import { TextArtifact } from "./text-artifact.tsx";

const IS_LOG = /\.(log|txt)$/;

/** The logs of a task's commands, one at a time; `file` in the address says which. */
export function Logs({ task, place }: { task: TaskView; place: Place }) {
  const logs = task.artifacts.filter(({ path }) => IS_LOG.test(path));
  const chosen = logs.find(({ path }) => path === place.query.file) ?? logs.at(-1);
  if (!chosen) return <Empty>{t(task.ended_at ? "task.no_logs" : "task.no_logs_yet")}</Empty>;
  return (
    <>
      <nav class="files" aria-label={t("task.logs")}>
        {logs.map(({ path, bytes }) => (
          <a
            key={path}
            href={placeLink(["tasks", task.task_id, "logs"], { file: path })}
            aria-current={path === chosen.path ? "true" : undefined}
          >
            {path} <span class="quiet">{formatBytes(bytes)}</span>
          </a>
        ))}
      </nav>
      <TextArtifact task={task} artifact={chosen} key={chosen.path} />
    </>
  );
}
