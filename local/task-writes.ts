import { EventEmitter } from "node:events";
import { TASK } from "#lib/platform/table/items.ts";
import { partitionOf } from "#lib/platform/table/keys.ts";
import type { FollowTask } from "#lib/work/tasks/task-news.ts";

interface Write {
  input: { Item?: Record<string, unknown>; Key?: Record<string, unknown> };
}

type Next = (args: Write) => Promise<unknown>;

/** The part of a DynamoDB client that is used here. */
interface WatchedClient {
  middlewareStack: {
    add(
      middleware: (next: never, context: { commandName?: string }) => Next,
      options: { step: "initialize"; name: string },
    ): void;
  };
}

const TASKS = TASK.partition.split("<")[0] ?? "";

/**
 * Tells of every write to a task's ledger that goes through this client, as a stream of the table would. All functions
 * of the local stack share one process and one client, so no write of theirs is missed; an operator's tool that
 * writes from elsewhere is seen at the next read.
 */
export function watchTaskWrites(client: unknown): FollowTask {
  const writes = new EventEmitter();
  writes.setMaxListeners(0);
  const watched = (next: Next, { commandName = "" }: { commandName?: string }): Next => {
    if (!/^(Put|Update)(Item)?Command$/.test(commandName)) return next;
    return async (args) => {
      const answer = await next(args);
      const { Item, Key = Item } = args.input;
      const partition = text(Key?.pk);
      if (partition?.startsWith(TASKS)) writes.emit(partition, { is_end: Item?.sealed_at !== undefined });
      return answer;
    };
  };
  (client as WatchedClient).middlewareStack.add(watched as never, { step: "initialize", name: "taskWrites" });
  return (followed) => follow(writes, followed);
}

/** A key attribute, before or after the document client has marshalled it. */
function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : (value as { S?: string } | undefined)?.S;
}

function follow(writes: EventEmitter, { end_only, ...task }: Parameters<FollowTask>[0]) {
  const partition = partitionOf(TASK, task).value;
  let changed = false;
  let wake: (() => void) | undefined;
  const onWrite = ({ is_end }: { is_end: boolean }) => {
    if (end_only && !is_end) return;
    changed = true;
    wake?.();
  };
  writes.on(partition, onWrite);
  return {
    async next(wait_ms: number): Promise<boolean> {
      if (!changed) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, wait_ms);
        });
        clearTimeout(timer);
        wake = undefined;
      }
      const is_news = changed;
      changed = false;
      return is_news;
    },
    stop: () => void writes.off(partition, onWrite),
  };
}
