import {
  BUCKETS_MS,
  bucketSum,
  COUNTERS,
  HISTOGRAMS,
  type LABELS,
  type TimedMetric,
} from "#lib/platform/metrics/catalogue.ts";
import type { CountRow } from "#lib/platform/metrics/count-store.ts";

/** Label → value. */
export type Labels = Record<(typeof LABELS)[number], string> & Record<string, string>;

/** One series of a counter or gauge. */
export interface Sample {
  name: string;
  labels: Labels;
  value: number;
}

/** One series of a histogram, in seconds. */
export interface HistogramSample {
  name: string;
  labels: Labels;
  count: number;
  sum_seconds: number;
  /** Cumulative: how many took at most so many seconds. */
  buckets: { le_seconds: number; count: number }[];
}

const labelsOf = ({ service, role, shard, tenant }: CountRow) => ({ service, role, shard, tenant });

/** The counters of the catalogue that rows hold. Sums that are in no catalogue, of an older version, are left out. */
export function counterSamples(rows: readonly CountRow[]): Sample[] {
  return rows.flatMap((row) =>
    Object.entries(COUNTERS).flatMap(([name, family]) => {
      const {
        sums,
        label,
        scale = 1,
      } = family as {
        sums: Record<string, string>;
        label?: string;
        scale?: number;
      };
      return Object.entries(sums).flatMap(([sum, value]) => {
        const amount = row.amounts.get(sum);
        if (amount === undefined) return [];
        const labels = { ...labelsOf(row), ...(label !== undefined && { [label]: value }) };
        return [{ name, labels, value: scale === 1 ? amount : amount * scale }];
      });
    }),
  );
}

/** The histograms of the catalogue that rows hold. */
export function histogramSamples(rows: readonly CountRow[]): HistogramSample[] {
  return rows.flatMap((row) =>
    (Object.keys(HISTOGRAMS) as TimedMetric[]).flatMap((metric) => {
      const histogram = histogramOf(row.amounts, metric);
      return histogram ? [{ name: HISTOGRAMS[metric].name, labels: labelsOf(row), ...histogram }] : [];
    }),
  );
}

/** One duration of a row; undefined when it has none. */
export function histogramOf(
  amounts: ReadonlyMap<string, number>,
  metric: TimedMetric,
): Pick<HistogramSample, "count" | "sum_seconds" | "buckets"> | undefined {
  const count = amounts.get(`${metric}_count`) ?? 0;
  if (count === 0) return undefined;
  let below = 0;
  const buckets = BUCKETS_MS.map((bound_ms) => {
    below += amounts.get(bucketSum(metric, bound_ms)) ?? 0;
    return { le_seconds: bound_ms / 1000, count: below };
  });
  return { count, sum_seconds: (amounts.get(`${metric}_ms_sum`) ?? 0) / 1000, buckets };
}

/**
 * The duration that the share `quantile` of all stayed below, by linear interpolation in its bucket; the last bucket's bound when it
 * is above. Seconds. As https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile.
 */
export function quantileOf(
  { buckets, count }: Pick<HistogramSample, "buckets" | "count">,
  quantile: number,
): number {
  const rank = quantile * count;
  let below = { le_seconds: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank && bucket.count > below.count) {
      const share = (rank - below.count) / (bucket.count - below.count);
      return below.le_seconds + (bucket.le_seconds - below.le_seconds) * Math.max(0, share);
    }
    below = bucket;
  }
  return below.le_seconds;
}
