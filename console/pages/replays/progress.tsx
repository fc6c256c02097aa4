import type { ReplayCounts } from "#schemas/http/replays.ts";
import { formatCount } from "../../app/format.ts";
import { named } from "../../app/language.ts";

const OUTCOMES = [
  ["succeeded", "good"],
  ["removed", "good"],
  ["discarded", "mute"],
  ["failed_again", "bad"],
  ["permanently_failed", "bad"],
  ["kept", "warn"],
  ["not_found", "mute"],
  ["sent", "busy"],
  ["pending", "none"],
] as const satisfies readonly (readonly [keyof ReplayCounts, string])[];

/** How far a job is: a bar of its messages by outcome, and the counts as words. */
export function Progress({ counts }: { counts: ReplayCounts }) {
  const shown = OUTCOMES.filter(([outcome]) => counts[outcome] > 0);
  return (
    <>
      <div class="parts" aria-hidden="true">
        {shown.map(([outcome, tone]) => (
          <span
            key={outcome}
            class={`part swatch-${tone}`}
            style={{ width: `${(100 * counts[outcome]) / Math.max(1, counts.total)}%` }}
          />
        ))}
      </div>
      <ul class="legend">
        {shown.map(([outcome, tone]) => (
          <li key={outcome}>
            <span class={`swatch swatch-${tone}`} aria-hidden="true" />{" "}
            <strong class="number">{formatCount(counts[outcome])}</strong> {named("replay_outcome", outcome)}
          </li>
        ))}
      </ul>
    </>
  );
}
