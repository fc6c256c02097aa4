import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the version that was landed before left behind when it was killed in the middle of its work: `npm run record:upgrade`. */
export const PREVIOUS = "test/upgrade/previous";

export const MESSAGES = "messages.json";
export const EXPECTED = "expected.json";

/** A message that was in a queue; `variable` names the queue's URL in the environment. */
export interface RecordedMessage {
  variable: string;
  body: string;
  attributes: Record<string, { DataType: string; StringValue?: string }>;
}

/** What that version's API told of an ended task. */
export interface ExpectedTask {
  task_id: string;
  status: string;
  verdict: string | undefined;
  artifacts: { path: string; sha256: string }[];
}

const read = (file: string) => JSON.parse(readFileSync(join(PREVIOUS, file), "utf8"));

export const previousMessages = (): RecordedMessage[] => read(MESSAGES);
export const previousTasks = (): { ended: ExpectedTask[]; open: string[] } => read(EXPECTED);
