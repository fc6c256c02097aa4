import { useMemo } from "preact/hooks";
import type { TaskView } from "#schemas/http/task-view.ts";
import { named, t } from "../../app/language.ts";
import { type Line, Lines, numberedLines } from "../../parts/lines.tsx";
import { Empty, Shown } from "../../parts/notices.tsx";
import { readable } from "../../parts/readable.ts";
import { OpenArtifact } from "./open-artifact.tsx";
import { type DiffFile, type DiffLine, parseDiff } from "./parse-diff.ts";
import { findArtifact, useArtifactText } from "./read-text.ts";

const PATH = "codegen/diff.patch";

/** The change that was made, file by file. */
export function DiffView({ task }: { task: TaskView }) {
  const artifact = findArtifact(task, PATH);
  if (!artifact) return <Empty>{t(task.ended_at ? "task.no_diff" : "task.no_diff_yet")}</Empty>;
  return <Diff task={task} artifact={artifact} />;
}

/** A unified diff, file by file; as it is where it cannot be read as one. */
export function DiffText({ text }: { text: string }) {
  const files = useMemo(() => filesOf(text), [text]);
  if (files === undefined || files.length === 0)
    return <Lines label={t("task.diff")} lines={numberedLines(text)} />;
  return (
    <>
      {files.map((file) => (
        <File key={file.path} file={file} />
      ))}
    </>
  );
}

function Diff({ task, artifact }: { task: TaskView; artifact: TaskView["artifacts"][number] }) {
  const loaded = useArtifactText(artifact);
  return (
    <Shown of={loaded}>
      {({ text, too_large }) => (
        <>
          <OpenArtifact task={task} artifact={artifact} />
          {too_large ? <Empty>{t("task.too_large")}</Empty> : <DiffText text={text} />}
        </>
      )}
    </Shown>
  );
}

/** Undefined for what cannot be read as a diff: it is then shown as it is. */
function filesOf(text: string): DiffFile[] | undefined {
  try {
    return parseDiff(text);
  } catch {
    return undefined;
  }
}

const SIGNS: Readonly<Record<DiffLine["kind"], string>> = {
  same: " ",
  added: "+",
  removed: "−",
  hunk: "",
  note: "",
};

function File({ file }: { file: DiffFile }) {
  const lines: Line[] = file.lines.map(({ kind, old_line, new_line, text }) => ({
    marks: [String(old_line ?? ""), String(new_line ?? ""), SIGNS[kind]],
    text: readable(text),
    class: kind,
  }));
  return (
    <details class="diff-file" open>
      <summary>
        <span class="path">
          {file.old_path && <span class="quiet">{readable(file.old_path)} → </span>}
          {readable(file.path)}
        </span>
        {file.kind !== "changed" && <span class="quiet">{named("diff", file.kind)}</span>}
        <span class="push number">
          <span class="added">+{file.added}</span> <span class="removed">−{file.removed}</span>
        </span>
      </summary>
      {lines.length > 0 ? (
        <Lines label={file.path} lines={lines} />
      ) : (
        <p class="quiet">{t("task.no_lines")}</p>
      )}
    </details>
  );
}
