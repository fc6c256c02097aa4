import type { RetryOverride, RetryPolicy, RetryPolicyConfig } from "#schemas/config/retry-policy.ts";

/** What a piece of work is known by. `dependency` is what failed, when a dependency did. */
export interface RetryLabels {
  service: string;
  role?: string | undefined;
  dependency?: string | undefined;
  tenant?: string | undefined;
}

const LABELS = ["service", "role", "dependency", "tenant"] as const;

/**
 * The policy for work with these labels: the defaults, and over them every override whose labels all
 * agree, the one with fewer labels first and among equals the earlier first. Dispositions are merged
 * key by key.
 */
export function retryPolicyFor(config: RetryPolicyConfig, labels: RetryLabels): RetryPolicy {
  const matching = config.overrides.filter(({ match }) =>
    LABELS.every((label) => match[label] === undefined || match[label] === labels[label]),
  );
  return matching.sort(bySpecificity).reduce<RetryPolicy>(overlay, config.defaults);
}

/**
 * Tries a step with these labels may have, whichever dependency fails it: the claim is made before
 * anything failed.
 */
export function attemptsMaxOf(config: RetryPolicyConfig, labels: Omit<RetryLabels, "dependency">): number {
  const dependencies = new Set([undefined, ...config.overrides.map(({ match }) => match.dependency)]);
  const limits = [...dependencies].map((dependency) => retryPolicyFor(config, { ...labels, dependency }));
  return Math.max(...limits.map(({ attempts_max }) => attempts_max));
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
