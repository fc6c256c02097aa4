import type { z } from "zod";
import type { Submission } from "#schemas/messages/submission.ts";
import type { PickedFiles } from "./pick-files.ts";

/** The form as it is filled in: every field a text, empty where nothing was said. */
export interface SubmitForm {
  workflow: string;
  source: "git" | "files";
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

/** The body that the form stands for. Fields of another workflow are left out; the API checks the rest. */
export function submissionOf(form: SubmitForm, { files }: PickedFiles): Body {
  const { workflow, repository, profile, install, build, test, command } = form;
  const source: Body["source"] =
    form.source === "files"
      ? { kind: "inline", files }
      : { kind: "git", url: form.url.trim(), ...(form.ref.trim() && { ref: form.ref.trim() }) };
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

function changeOf({ change, change_text }: SubmitForm): NonNullable<Body["change"]> {
  if (change === "patch") {
    return { kind: "patch", diff: change_text.endsWith("\n") ? change_text : `${change_text}\n` };
  }
  return change === "codemod"
    ? { kind: "codemod", rules: change_text }
    : { kind: "prompt", text: change_text };
}
