import type { ReplayPorts } from "#lib/agents/dlq/dead-letter-queue.ts";

class Crashed extends Error {}

interface Crash {
  /** Which write is the last, from 1; none when absent. */
  at?: number;
  /** Whether that write still takes. */
  gap?: "before" | "after";
  /** Told the body of every message that is sent. */
  see?: (body: string) => void;
}

const WRITES = /^(Put|Update|Delete|SendMessage)/;

/** Ports of a process that dies at one of its writes: nothing it does afterwards has an effect. */
export function crashing(ports: ReplayPorts, { at, gap = "before", see }: Crash) {
  let writes = 0;
  let dead = false;
  const wrap = <Client extends { send: unknown }>(client: Client): Client =>
    new Proxy(client, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name !== "send") return value;
        return async (command: { input: { MessageBody?: string } }, ...rest: unknown[]) => {
          if (dead) throw new Crashed();
          const is_write = WRITES.test(command.constructor.name);
          if (is_write) writes += 1;
          dead = is_write && writes === at;
          if (dead && gap === "before") throw new Crashed();
          const answer = await (value as (...all: unknown[]) => Promise<unknown>).call(
            target,
            command,
            ...rest,
          );
          if (dead) throw new Crashed();
          if (command.input.MessageBody) see?.(command.input.MessageBody);
          return answer;
        };
      },
    });
  const wrapped: ReplayPorts = { ...ports, table: wrap(ports.table), sqs: wrap(ports.sqs) };
  return {
    ...wrapped,
    /** Runs until the crash; true when there was one. */
    async run(work: (ports: ReplayPorts) => Promise<unknown>): Promise<boolean> {
      try {
        await work(wrapped);
      } catch (error) {
        if (!(error instanceof Crashed)) throw error;
      }
      return dead;
    },
  };
}
