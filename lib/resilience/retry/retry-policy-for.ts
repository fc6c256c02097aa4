import type { RetryOverride, RetryPolicy, RetryPolicyConfig } from "#schemas/config/retry-policy.ts";

/** What overrides match by. */
export interface RetryLabels {
  service: string;
  role?: string | undefined;
  /** The dependency that failed, when one did. */
  dependency?: string | undefined;
  /** The error's code. */
  code?: string | undefined;
  tenant?: string | undefined;
}

const LABELS = ["service", "role", "dependency", "code", "tenant"] as const;

/**
 * The policy for work with these labels: the defaults, overlaid with every override whose labels all agree. One with
 * more labels wins, and among equals the later. Dispositions are merged key by key.
 */
export function retryPolicyFor(config: RetryPolicyConfig, labels: RetryLabels): RetryPolicy {
  const matching = config.overrides.filter(({ match }) =>
    LABELS.every((label) => match[label] === undefined || match[label] === labels[label]),
  );
  return matching.sort(bySpecificity).reduce<RetryPolicy>(overlay, config.defaults);
}

/**
 * The most attempts that a step with these labels may have, whatever fails: the claim is made before anything
 * failed.
 */
export function attemptsMaxOf(
  config: RetryPolicyConfig,
  labels: Omit<RetryLabels, "dependency" | "code">,
): number {
  // A failure that more overrides match is decided by one of them, so these failures show every limit there is.
  const failures = [{}, ...config.overrides.map(({ match: { dependency, code } }) => ({ dependency, code }))];
  return Math.max(
    ...failures.map((failure) => retryPolicyFor(config, { ...labels, ...failure }).attempts_max),
  );
}

function bySpecificity(a: RetryOverride, b: RetryOverride): number {
  return labelCount(a) - labelCount(b); // the sort is stable: equals stay in the order of the file
}

function labelCount({ match }: RetryOverride): number {
  return LABELS.filter((label) => match[label] !== undefined).length;
}

function overlay(policy: RetryPolicy, { match: _, ...override }: RetryOverride): RetryPolicy {
  const stated = Object.fromEntries(Object.entries(override).filter(([, value]) => value !== undefined));
  return {
    ...policy,
    ...stated,
    dispositions: { ...policy.dispositions, ...override.dispositions },
  };
}
