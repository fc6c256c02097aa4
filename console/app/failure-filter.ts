import type { FailureFilter } from "#schemas/http/dead-letters.ts";

/** Fields of a filter of failures, as the address and the API name them. */
export const FILTER_FIELDS = [
  "queue",
  "agent",
  "tenant",
  "code",
  "fingerprint",
  "trace",
  "task",
  "since",
  "until",
  "text",
] as const satisfies readonly (keyof FailureFilter)[];

/** The filter that an address names; what says nothing is left out. */
export function filterOf(query: Readonly<Record<string, string>>): FailureFilter {
  return Object.fromEntries(
    FILTER_FIELDS.flatMap((name) => {
      const value = query[name]?.trim();
      return value ? [[name, value]] : [];
    }),
  );
}

/** Whether the filter selects everything. */
export function isEmpty(filter: FailureFilter): boolean {
  return Object.keys(filter).length === 0;
}
