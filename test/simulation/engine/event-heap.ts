export interface Event {
  /** Virtual Unix time in ms. */
  time: number;
  /** Orders events of the same millisecond; drawn at random, so every order comes up in some seed. */
  tie: number;
  run: () => void;
}

const before = (a: Event, b: Event) => a.time < b.time || (a.time === b.time && a.tie < b.tie);

/** Events by time: a binary heap. */
export class EventHeap {
  readonly #events: Event[] = [];

  get size(): number {
    return this.#events.length;
  }

  push(event: Event): void {
    const events = this.#events;
    let index = events.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = events[parent] as Event;
      if (!before(event, above)) break;
      events[index] = above;
      index = parent;
    }
    events[index] = event;
  }

  pop(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (!first || !last || events.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && before(events[child + 1] as Event, events[child] as Event)) child += 1;
      if (!before(events[child] as Event, last)) break;
      events[index] = events[child] as Event;
      index = child;
    }
    events[index] = last;
    return first;
  }
}
