import { z } from "zod";
import { TaskList, TaskView } from "#schemas/http/task-view.ts";
import { QueryRequest } from "#schemas/messages/submission.ts";
import { TaskId } from "#schemas/primitives.ts";
import { TaskStatus } from "#schemas/records/task.ts";
import { queryOf } from "../ask-and-show.ts";
import { hasEnded, nextView, readTask } from "../follow-task.ts";
import { searchCode } from "../search-code.ts";
import { defineTool, QUOTES_OTHERS, type Tool } from "./tool.ts";

/** Below the 60 s that clients give a call by default. */
const WAIT_SECONDS_MAX = 45;
const POLL_SECONDS_MAX = 20;

/** A task as a model needs it: without checksums and links, and without what describes artifacts only. */
function taskDocument({ artifacts, links: _, ...view }: TaskView) {
  const files = artifacts.filter(({ path }) => !path.endsWith(".meta.json"));
  return {
    ended: hasEnded(view),
    ...view,
    artifacts: files.map(({ path, bytes, content_type }) => ({ path, bytes, content_type })),
  };
}

export const taskTools: Tool[] = [
  defineTool({
    name: "list_tasks",
    title: "List tasks",
    description: `List the tenant's tasks, newest first. ${QUOTES_OTHERS}`,
    input: z.strictObject({
      status: TaskStatus.optional().describe("only tasks in this state"),
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().min(1).max(4096).optional().describe("next_cursor of the page before"),
    }),
    writes: false,
    run: async (input, { api }) => ({ document: await api.get(TaskList, `/api/tasks${queryOf(input)}`) }),
  }),
  defineTool({
    name: "follow_task",
    title: "Follow a task",
    description: `Show a task, its steps and its artifacts. Waits up to wait_seconds for its end; call again while \`ended\` is false. ${QUOTES_OTHERS}`,
    input: z.strictObject({
      task_id: TaskId,
      wait_seconds: z
        .int()
        .min(0)
        .max(WAIT_SECONDS_MAX)
        .default(30)
        .describe("0 shows it as it stands; it answers at once when the task has ended"),
    }),
    writes: false,
    async run({ task_id, wait_seconds }, { api }) {
      let view = await readTask(api, task_id);
      const until = Date.now() + wait_seconds * 1000;
      while (!hasEnded(view) && Date.now() < until) {
        const left_seconds = Math.ceil((until - Date.now()) / 1000);
        view = await nextView(api, view, Math.min(left_seconds, POLL_SECONDS_MAX));
      }
      return { document: taskDocument(view) };
    },
  }),
  defineTool({
    name: "search_code",
    title: "Search code",
    description: `Search indexed code by words, by a symbol's name, or by a question, best first. Each result has an excerpt and says why it was found. ${QUOTES_OTHERS}`,
    input: QueryRequest.extend({
      limit: z.int().min(1).max(20).default(5),
      repository: QueryRequest.shape.repository.describe("name the code was indexed under"),
    }),
    writes: false,
    run: async (input, { api }) => ({ document: await searchCode(api, input) }),
  }),
  defineTool({
    name: "cancel_task",
    title: "Cancel a task",
    description: "Cancel a task that has not ended. What its finished steps left stays.",
    input: z.strictObject({ task_id: TaskId }),
    writes: true,
    run: async ({ task_id }, { api }) => ({
      document: taskDocument(await api.post(TaskView, `/api/tasks/${encodeURIComponent(task_id)}/cancel`)),
    }),
  }),
];
