import { useMemo } from "preact/hooks";
import type { TaskView } from "#schemas/http/task-view.ts";
import { t } from "../../app/language.ts";
import { Lines, numberedLines } from "../../parts/lines.tsx";
import { Empty, Shown } from "../../parts/notices.tsx";
import { OpenArtifact } from "./open-artifact.tsx";
import { useArtifactText } from "./read-text.ts";

/** An artifact's text by lines, with links to the file itself. */
export function TextArtifact({
  task,
  artifact,
}: {
  task: TaskView;
  artifact: TaskView["artifacts"][number];
}) {
  const loaded = useArtifactText(artifact);
  const text = loaded.data?.text ?? "";
  const lines = useMemo(
    () => numberedLines(pretty(artifact.content_type, text)),
    [artifact.content_type, text],
  );
  return (
    <Shown of={loaded}>
      {({ too_large }) => (
        <>
          <OpenArtifact task={task} artifact={artifact} />
          {too_large ? <Empty>{t("task.too_large")}</Empty> : <Lines label={artifact.path} lines={lines} />}
        </>
      )}
    </Shown>
  );
}

/** JSON with a line for each value; any other text as it is. */
function pretty(content_type: string, text: string): string {
  if (!content_type.startsWith("application/json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
