import type { z } from "zod";
import type { Submission } from "#schemas/messages/submission.ts";
import type { PickedFiles } from "./pick-files.ts";

/** The form as it is filled in: every field a text, empty where nothing was said. */
export interface SubmitForm {
  workflow: string;
  source: "git" | "files" | "archive";
  url: string;
  ref: string;
  change: "patch" | "codemod" | "prompt";
  change_text: string;
  install: string;
  build: string;
  test: string;
  command: string;
  repository: string;
  profile: string;
}

export const NO_FILES: PickedFiles = { files: {}, count: 0, bytes: 0, left_out: [] };

type Body = z.input<typeof Submission>;

/** What was chosen besides the form's texts: files of a folder, and the upload of an archive once it is there. */
export interface ChosenSource {
  files: PickedFiles;
  upload_id: string | undefined;
}

/** The body that the form stands for. Fields of another workflow are left out; the API checks the rest. */
export function submissionOf(form: SubmitForm, chosen: ChosenSource): Body {
  const { workflow, repository, profile, install, build, test, command } = form;
  const source = sourceOf(form, chosen);
  const commands = workflow === "run" ? { command } : workflow === "index" ? {} : { install, build, test };
  const said = Object.fromEntries(Object.entries(commands).filter(([, value]) => value.trim() !== ""));
  return {
    workflow,
    source,
    ...(workflow === "change" && { change: changeOf(form) }),
    ...said,
    ...(repository.trim() && { repository: repository.trim() }),
    ...(workflow !== "index" && { profile }),
  };
}

function sourceOf({ source, url, ref }: SubmitForm, { files, upload_id = "" }: ChosenSource): Body["source"] {
  if (source === "files") return { kind: "inline", files: files.files };
  if (source === "archive") return { kind: "upload", upload_id };
  return { kind: "git", url: url.trim(), ...(ref.trim() && { ref: ref.trim() }) };
}

function changeOf({ change, change_text }: SubmitForm): NonNullable<Body["change"]> {
  if (change === "patch") {
    return { kind: "patch", diff: change_text.endsWith("\n") ? change_text : `${change_text}\n` };
  }
  return change === "codemod"
    ? { kind: "codemod", rules: change_text }
    : { kind: "prompt", text: change_text };
}
