import { QueueDoesNotExist } from "@aws-sdk/client-sqs";
import type { MessageSource } from "./sqs-source.ts";

/** Calls `action` once at a time, whoever asks: those who come while it runs wait for that run. */
export function oneAtATime(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= action().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/**
 * Has the queue made anew when it is gone, as after a restart of a server that keeps it in memory. Its
 * messages are lost with it: the sweeper sends again what is owed.
 */
export function restoringSource(source: MessageSource, restore: () => Promise<void>): MessageSource {
  return {
    async receive(count, wait_seconds, signal) {
      try {
        return await source.receive(count, wait_seconds, signal);
      } catch (error) {
        if (error instanceof QueueDoesNotExist) await restore();
        throw error;
      }
    },
    delete: (messages) => source.delete(messages),
  };
}
