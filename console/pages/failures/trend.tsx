import { formatCount } from "../../app/format.ts";
import { t } from "../../app/language.ts";

const HEIGHT = 28;
const STEP = 10;

/** Failures of the last 24 hours by the hour, as small bars. */
export function Trend({ counts }: { counts: readonly number[] }) {
  const highest = Math.max(1, ...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return (
    <svg
      class="trend"
      viewBox={`0 0 ${counts.length * STEP} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={t("failures.trend", { count: formatCount(total), highest: formatCount(highest) })}
    >
      {counts.map((count, hour) => {
        const height = count === 0 ? 1 : Math.max(3, (HEIGHT * count) / highest);
        return (
          // An hour has no other name than its place
          <rect key={hour} x={hour * STEP + 1} y={HEIGHT - height} width={STEP - 2} height={height} />
        );
      })}
    </svg>
  );
}
