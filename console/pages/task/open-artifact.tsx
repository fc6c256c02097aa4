import { useState } from "preact/hooks";
import type { TaskView } from "#schemas/http/task-view.ts";
import { ApiProblem, ask, send } from "../../app/api.ts";
import { t } from "../../app/language.ts";
import { ProblemNotice } from "../../parts/notices.tsx";

type Artifact = TaskView["artifacts"][number];

/**
 * Opens an artifact in a new tab by a link made at that moment, and saves it. The window is opened at once, for a browser
 * allows it only right after the click; it gets no access to this page.
 */
export function OpenArtifact({ task, artifact }: { task: TaskView; artifact: Artifact }) {
  const [problem, setProblem] = useState<ApiProblem>();
  const attempt = async (action: () => Promise<void>) => {
    try {
      setProblem(undefined);
      await action();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    }
  };
  return (
    <div class="open-artifact">
      <button type="button" class="small" onClick={() => void attempt(() => openByLink(task, artifact))}>
        {t("task.new_tab")}
      </button>
      <button type="button" class="small" onClick={() => void attempt(() => save(artifact))}>
        {t("task.save")}
      </button>
      {problem && <ProblemNotice problem={problem} />}
    </div>
  );
}

async function openByLink({ task_id }: TaskView, { path }: Artifact): Promise<void> {
  const tab = window.open("about:blank", "_blank");
  if (tab) tab.opener = null;
  try {
    const linked = await ask<TaskView>(`/api/tasks/${task_id}`, { query: { links: true } });
    const url = linked.artifacts.find((each) => each.path === path)?.url;
    if (url === undefined) throw new ApiProblem(0, { code: "NO_LINK", detail: t("task.no_link_yet") });
    if (tab) tab.location.href = url;
  } catch (error) {
    tab?.close();
    throw error;
  }
}

async function save({ href, path }: Artifact): Promise<void> {
  const response = await send(href);
  if (response.type === "opaqueredirect") {
    throw new ApiProblem(0, { code: "TOO_LARGE", detail: t("task.too_large") });
  }
  const url = URL.createObjectURL(
    new Blob([await response.arrayBuffer()], { type: "application/octet-stream" }),
  );
  const link = document.createElement("a");
  link.href = url;
  link.download = path.split("/").at(-1) ?? "artifact";
  link.click();
  URL.revokeObjectURL(url);
}
