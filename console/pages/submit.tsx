import { useState } from "preact/hooks";
import type { TaskView } from "#schemas/http/task-view.ts";
import { ApiProblem, ask } from "../app/api.ts";
import { formatBytes, formatCount } from "../app/format.ts";
import { newIdempotencyKey } from "../app/idempotency-key.ts";
import { t } from "../app/language.ts";
import { goTo, type Place, placeLink } from "../app/place.ts";
import { Field, PageHead } from "../parts/bits.tsx";
import { ProblemNotice } from "../parts/notices.tsx";
import { type PickedFiles, pickFiles } from "./submit/pick-files.ts";
import { NO_FILES, type SubmitForm, submissionOf } from "./submit/submission-of.ts";
import { uploadArchive } from "./submit/upload-archive.ts";

/** Names in configs/workflows.json and configs/sandbox_limits.json as shipped; others can be typed. */
const WORKFLOWS = ["change", "buildtest", "run", "index"];
const PROFILES = ["standard", "small", "large", "trusted"];
const CHANGES = ["patch", "codemod", "prompt"] as const;

const EMPTY: SubmitForm = {
  workflow: "change",
  source: "git",
  url: "",
  ref: "",
  change: "patch",
  change_text: "",
  install: "",
  build: "",
  test: "",
  command: "",
  repository: "",
  profile: "standard",
};

/** Submits a task. The same form sent twice is one task. */
export function Submit(_: { place: Place }) {
  const [form, setForm] = useState(EMPTY);
  const [files, setFiles] = useState<PickedFiles>(NO_FILES);
  const [archive, setArchive] = useState<File>();
  const [problem, setProblem] = useState<ApiProblem>();
  const [is_busy, setBusy] = useState(false);
  const [idempotency_key, setIdempotencyKey] = useState(newIdempotencyKey);
  // A form that was changed is another task; the same one sent again, after a lost answer, is not.
  const set = (changed: Partial<SubmitForm>) => {
    setForm({ ...form, ...changed });
    setIdempotencyKey(newIdempotencyKey());
  };
  const choose = (picked: PickedFiles) => {
    setFiles(picked);
    setIdempotencyKey(newIdempotencyKey());
  };
  const chooseArchive = (picked: File | undefined) => {
    setArchive(picked);
    setIdempotencyKey(newIdempotencyKey());
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      const upload_id = form.source === "archive" && archive ? await uploadArchive(archive) : undefined;
      const body = submissionOf(form, { files, upload_id });
      const headers = { "idempotency-key": idempotency_key };
      const { task_id } = await ask<TaskView>("/api/tasks", { method: "POST", body, headers });
      goTo(placeLink(["tasks", task_id]));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const fields = { form, set };
  return (
    <>
      <PageHead title={t("nav.submit")} about={t("submit.about")} />
      <form class="form" onSubmit={(event) => void submit(event)}>
        <WorkflowFields {...fields} />
        <SourceFields {...fields} files={files} onFiles={choose} onArchive={chooseArchive} />
        {form.workflow === "change" && <ChangeFields {...fields} />}
        {form.workflow !== "index" && <CommandFields {...fields} />}
        {problem && <ProblemNotice problem={problem} />}
        <div class="buttons">
          <button type="submit" class="primary" disabled={is_busy}>
            {is_busy ? t("common.working") : t("nav.submit")}
          </button>
        </div>
      </form>
    </>
  );
}

interface FieldsProps {
  form: SubmitForm;
  set(changed: Partial<SubmitForm>): void;
}

function WorkflowFields({ form, set }: FieldsProps) {
  return (
    <fieldset>
      <legend>{t("submit.what")}</legend>
      <Field id="workflow" label={t("submit.workflow")} hint={t("submit.workflow_hint")}>
        <TypedOrChosen
          id="workflow"
          value={form.workflow}
          offered={WORKFLOWS}
          onValue={(workflow) => set({ workflow })}
        />
      </Field>
      <Field id="repository" label={t("submit.repository")} hint={t("submit.repository_hint")}>
        <TextInput id="repository" value={form.repository} onValue={(repository) => set({ repository })} />
      </Field>
    </fieldset>
  );
}

const SOURCES = ["git", "files", "archive"] as const;

interface SourceProps extends FieldsProps {
  files: PickedFiles;
  onFiles(files: PickedFiles): void;
  onArchive(archive: File | undefined): void;
}

function SourceFields({ form, set, files, onFiles, onArchive }: SourceProps) {
  return (
    <fieldset>
      <legend>{t("submit.source")}</legend>
      <div class="choices">
        {SOURCES.map((source) => (
          <label key={source}>
            <input
              type="radio"
              name="source"
              checked={form.source === source}
              onChange={() => set({ source })}
            />{" "}
            {t(`submit.source_${source}`)}
          </label>
        ))}
      </div>
      {form.source === "git" && (
        <>
          <Field id="url" label={t("submit.url")}>
            <TextInput id="url" value={form.url} required onValue={(url) => set({ url })} />
          </Field>
          <Field id="ref" label={t("submit.ref")} hint={t("submit.ref_hint")}>
            <TextInput id="ref" value={form.ref} onValue={(ref) => set({ ref })} />
          </Field>
        </>
      )}
      {form.source === "files" && <FolderField files={files} onFiles={onFiles} />}
      {form.source === "archive" && (
        <Field id="archive" label={t("submit.archive")} hint={t("submit.archive_hint")}>
          <input
            id="archive"
            type="file"
            required
            accept=".tgz,.gz,application/gzip"
            aria-describedby="archive-hint"
            onChange={(event) => onArchive(event.currentTarget.files?.[0])}
          />
        </Field>
      )}
    </fieldset>
  );
}

function FolderField({ files, onFiles }: Pick<SourceProps, "files" | "onFiles">) {
  return (
    <Field id="files" label={t("submit.files")} hint={t("submit.files_hint")}>
      <input
        id="files"
        type="file"
        multiple
        aria-describedby="files-hint"
        {...{ webkitdirectory: true }}
        onChange={(event) => void pickFiles(event.currentTarget.files ?? []).then(onFiles)}
      />
      {files.count > 0 && (
        <p role="status">
          {t("submit.picked", { count: formatCount(files.count), size: formatBytes(files.bytes) })}
        </p>
      )}
      {files.left_out.length > 0 && (
        <p class="notice warn" role="status">
          {t("submit.left_out", {
            names: files.left_out.slice(0, 5).join(", "),
            count: files.left_out.length,
          })}
        </p>
      )}
    </Field>
  );
}

function ChangeFields({ form, set }: FieldsProps) {
  return (
    <fieldset>
      <legend>{t("submit.change")}</legend>
      <div class="choices">
        {CHANGES.map((change) => (
          <label key={change}>
            <input
              type="radio"
              name="change"
              checked={form.change === change}
              onChange={() => set({ change })}
            />{" "}
            {t(`submit.change_${change}`)}
          </label>
        ))}
      </div>
      <Field
        id="change_text"
        label={t(`submit.change_${form.change}`)}
        hint={t(`submit.hint_${form.change}`)}
      >
        <textarea
          id="change_text"
          rows={10}
          spellcheck={false}
          required
          aria-describedby="change_text-hint"
          value={form.change_text}
          onInput={(event) => set({ change_text: event.currentTarget.value })}
        />
      </Field>
    </fieldset>
  );
}

function CommandFields({ form, set }: FieldsProps) {
  const names = form.workflow === "run" ? (["command"] as const) : (["install", "build", "test"] as const);
  return (
    <fieldset>
      <legend>{t("submit.commands")}</legend>
      {names.map((name) => (
        <Field id={name} key={name} label={t(`submit.${name}`)} hint={t(`submit.${name}_hint`)}>
          <TextInput
            id={name}
            value={form[name]}
            required={name === "command" || name === "test"}
            onValue={(value) => set({ [name]: value })}
          />
        </Field>
      ))}
      <Field id="profile" label={t("submit.profile")} hint={t("submit.profile_hint")}>
        <TypedOrChosen
          id="profile"
          value={form.profile}
          offered={PROFILES}
          onValue={(profile) => set({ profile })}
        />
      </Field>
    </fieldset>
  );
}

interface TextInputProps {
  id: string;
  value: string;
  required?: boolean;
  onValue(value: string): void;
}

function TextInput({ id, value, required = false, onValue }: TextInputProps) {
  return (
    <input
      id={id}
      value={value}
      required={required}
      spellcheck={false}
      autoComplete="off"
      aria-describedby={`${id}-hint`}
      onInput={(event) => onValue(event.currentTarget.value)}
    />
  );
}

function TypedOrChosen({ id, value, offered, onValue }: TextInputProps & { offered: readonly string[] }) {
  return (
    <>
      <input
        id={id}
        list={`${id}-list`}
        value={value}
        required
        autoComplete="off"
        aria-describedby={`${id}-hint`}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      <datalist id={`${id}-list`}>
        {offered.map((each) => (
          <option value={each} key={each} />
        ))}
      </datalist>
    </>
  );
}
