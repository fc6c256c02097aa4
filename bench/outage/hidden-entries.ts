import type { Message } from "#test/simulation/sqs/queue.ts";

/** A message that is hidden until then; no longer true once the message says otherwise. */
export interface Entry {
  message: Message;
  visible_at: number;
}

/** Entries by the time they become visible: a binary heap. */
export function hiddenEntries() {
  const heap: Entry[] = [];
  const at = (index: number) => (heap[index] as Entry).visible_at;
  const swap = (a: number, b: number) => {
    const kept = heap[a] as Entry;
    heap[a] = heap[b] as Entry;
    heap[b] = kept;
  };
  const pop = (): Entry | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ; ) {
      let child = 2 * index + 1;
      if (child >= heap.length) return first;
      if (child + 1 < heap.length && at(child + 1) < at(child)) child += 1;
      if (at(index) <= at(child)) return first;
      swap(index, child);
      index = child;
    }
  };
  return {
    add(entry: Entry) {
      let index = heap.push(entry) - 1;
      while (index > 0 && at((index - 1) >> 1) > at(index)) {
        swap(index, (index - 1) >> 1);
        index = (index - 1) >> 1;
      }
    },
    takeDue: (now: number) => (heap[0] && heap[0].visible_at <= now ? pop() : undefined),
    /** When the next valid entry is due. */
    next(valid: (entry: Entry) => boolean): number | undefined {
      while (heap[0] && !valid(heap[0])) pop();
      return heap[0]?.visible_at;
    },
  };
}
