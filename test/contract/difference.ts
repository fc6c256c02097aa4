/** What the contract is held against. */
export const TARGETS = ["embedded", "simulation", "localstack", "moto", "dynamodb-local"] as const;
export type TargetName = (typeof TARGETS)[number];

/**
 * One way in which targets differ from AWS, declared once: the tests hold each target to what is said of
 * it here, and docs/reference/aws-differences.md lists it.
 */
export interface Difference {
  /** What it is about, in a few words. */
  behaviour: string;
  /** What AWS does. */
  aws: string;
  /** The page of AWS that says so. */
  page: string;
  /** Targets that differ: in words, and as a test sees it. `{ throws: name }` is a refusal. */
  targets: Partial<Record<TargetName, { does: string; observed: unknown }>>;
  /** Why no code of ours leans on it. */
  not_leaned_on: string;
  /** The file that stands between the code and the difference, where one does. */
  bridged_in?: string;
}
