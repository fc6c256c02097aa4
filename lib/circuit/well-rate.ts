import { ALWAYS, type Traffic } from "#lib/circuit/traffic.ts";

/**
 * The rate of calls over all environments while all is well, between two times one environment told
 * its own. The window's counts say less: they lack what others have not told yet.
 */
export class WellRate {
  #mark: { at: number; asked: number } | undefined;
  #per_second: number | undefined;

  /** The counts after this environment told its own, `at` Unix ms. */
  notice(traffic: Traffic | undefined, at: number, well: boolean): void {
    const asked = traffic?.get(ALWAYS)?.get("asked") ?? 0;
    const mark = this.#mark;
    if (well && mark && at > mark.at) {
      this.#per_second = (1000 * Math.max(0, asked - mark.asked)) / (at - mark.at);
    }
    this.#mark = well ? { at, asked } : undefined;
  }

  /** What was measured since it was last taken. */
  take(): number | undefined {
    const per_second = this.#per_second;
    this.#per_second = undefined;
    return per_second;
  }
}
