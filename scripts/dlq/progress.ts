import { createTerminal } from "../../cli/terminal.ts";

const LINE_EVERY_MS = 2000;

/** Tells on standard error how far long work is: redrawn on a terminal, else a line now and then. */
export function progress(doing: string) {
  const terminal = createTerminal(process.stderr, process.env);
  let told_at = Date.now();
  return {
    onProgress({ looked_at, meant }: { looked_at: number; meant: number }): void {
      const line = `${doing}: ${meant} of ${looked_at} messages …`;
      terminal.live(line);
      if (terminal.interactive || Date.now() - told_at < LINE_EVERY_MS) return;
      told_at = Date.now();
      terminal.lines(line);
    },
    end: () => terminal.live(),
  };
}
