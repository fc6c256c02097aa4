import type { TaskView } from "#schemas/http/task-view.ts";
import type { Api } from "../api.ts";
import { fetchArtifact } from "../fetch-artifact.ts";

/** What a pull request of a task's patch says. */
export interface TaskMessage {
  /** One line of plain text. */
  title: string;
  /** Markdown. */
  description: string;
}

const SUMMARY_PATH = "codegen/summary.md";
/** What forges and `git log --oneline` show of a title without cutting it. */
const TITLE_CHARACTERS_MAX = 72;

/** Title and description, from `codegen/summary.md`: its heading, and what follows it. */
export async function readTaskMessage(api: Api, { task_id, artifacts }: TaskView): Promise<TaskMessage> {
  const artifact = artifacts.find(({ path }) => path === SUMMARY_PATH);
  if (artifact === undefined) return { title: `Change of ${task_id}`, description: "" };
  return messageOf(new TextDecoder().decode(await fetchArtifact(api, artifact)));
}

export function messageOf(summary: string): TaskMessage {
  const [first = "", ...rest] = summary.split("\n");
  const title = plainText(first.replace(/^#+ */, "")).replace(/\s+/g, " ").trim();
  const characters = [...title];
  const short =
    characters.length <= TITLE_CHARACTERS_MAX
      ? title
      : `${characters
          .slice(0, TITLE_CHARACTERS_MAX - 1)
          .join("")
          .trimEnd()}…`;
  return { title: short, description: rest.join("\n").trim() };
}

/** Markdown's character references as the characters they stand for: a commit's message is no Markdown. */
function plainText(markdown: string): string {
  return markdown.replace(/&#(\d{1,6});/g, (_, number) => String.fromCodePoint(Number(number)));
}

/** As a commit's message: title, an empty line, description. */
export function commitMessage({ title, description }: TaskMessage): string {
  return description === "" ? title : `${title}\n\n${plainText(description)}`;
}
