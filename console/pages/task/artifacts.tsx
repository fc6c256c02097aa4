import type { TaskView } from "#schemas/http/task-view.ts";
import { ask } from "../../app/api.ts";
import { formatBytes } from "../../app/format.ts";
import { t } from "../../app/language.ts";
import { useLoaded } from "../../app/load.ts";
import { type Place, placeLink } from "../../app/place.ts";
import { Age } from "../../parts/bits.tsx";
import { Empty, Shown } from "../../parts/notices.tsx";
import { OpenArtifact } from "./open-artifact.tsx";
import { TextArtifact } from "./text-artifact.tsx";

type Artifact = TaskView["artifacts"][number];

/** Media types that the console shows as text; it offers all others to be saved. */
const IS_TEXT = /^(text\/|application\/(json|jsonl|x-ndjson|xml)\b)/;
const ASK_AGAIN_MS = 240_000;

/** All files of a task; `file` in the address shows one of them. */
export function Artifacts({ task, place }: { task: TaskView; place: Place }) {
  const linked = useLinks(task);
  const chosen = task.artifacts.find(({ path }) => path === place.query.file);
  if (task.artifacts.length === 0) return <Empty>{t("task.no_artifacts")}</Empty>;
  return (
    <Shown of={linked}>
      {({ artifacts, links }) => (
        <>
          <table class="plain-table artifacts stacked">
            <caption class="hidden">{t("task.artifacts")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("task.file")}</th>
                <th scope="col">{t("task.type")}</th>
                <th scope="col" class="number">
                  {t("task.size")}
                </th>
                <th scope="col">{t("task.open")}</th>
              </tr>
            </thead>
            <tbody>
              {artifacts.map((artifact) => (
                <tr key={artifact.path}>
                  <td>
                    <ShowLink task={task} artifact={artifact} is_chosen={artifact.path === chosen?.path} />
                  </td>
                  <td class="quiet media-type">{artifact.content_type}</td>
                  <td class="number">{formatBytes(artifact.bytes)}</td>
                  <td>
                    {artifact.url ? (
                      <a href={artifact.url} target="_blank" rel="noreferrer">
                        {t("task.new_tab")}
                      </a>
                    ) : (
                      <span class="quiet">{t(task.ended_at ? "task.no_link" : "task.no_link_yet")}</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {links && (
            <p class="quiet">
              {t("task.links_end")} <Age at={links.expires_at} />
            </p>
          )}
          {chosen && (
            <section aria-label={chosen.path}>
              <h2>{chosen.path}</h2>
              {IS_TEXT.test(chosen.content_type) ? (
                <TextArtifact task={task} artifact={chosen} key={chosen.path} />
              ) : (
                <OpenArtifact task={task} artifact={chosen} />
              )}
            </section>
          )}
        </>
      )}
    </Shown>
  );
}

function ShowLink({ task, artifact, is_chosen }: { task: TaskView; artifact: Artifact; is_chosen: boolean }) {
  return (
    <a
      class="path"
      href={placeLink(["tasks", task.task_id, "artifacts"], { file: artifact.path })}
      aria-current={is_chosen ? "true" : undefined}
    >
      {artifact.path}
    </a>
  );
}

/** The task with a short-lived link for each artifact; asked for again before the links end. */
function useLinks({ task_id, revision }: TaskView) {
  return useLoaded(
    `${task_id}#${revision}`,
    (signal) => ask<TaskView>(`/api/tasks/${task_id}`, { query: { links: true }, signal }),
    { every_ms: ASK_AGAIN_MS },
  );
}
